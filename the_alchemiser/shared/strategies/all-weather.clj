; Risk parity: stocks, long bonds, gold and low-volatility stocks, each weighted by the inverse of its recent
; volatility. The weights are set on the first session of each month.
(defsymphony "All weather" {:asset-class "EQUITIES", :rebalance-frequency :monthly}
  (weight-inverse-volatility 30
    [(asset "SPY" "SPDR S&P 500 ETF Trust")
     (asset "TLT" "iShares 20+ Year Treasury Bond ETF")
     (asset "GLD" "SPDR Gold Shares")
     (asset "USMV" "iShares MSCI USA Min Vol Factor ETF")]))
