; Risk parity: stocks, long bonds, gold and low-volatility stocks, each in inverse proportion to its recent
; volatility, set anew on the first session of a month.
(defsymphony "All weather" {:asset-class "EQUITIES", :rebalance-frequency :monthly}
  (weight-inverse-volatility 30
    [(asset "SPY" "SPDR S&P 500 ETF Trust")
     (asset "TLT" "iShares 20+ Year Treasury Bond ETF")
     (asset "GLD" "SPDR Gold Shares")
     (asset "USMV" "iShares MSCI USA Min Vol Factor ETF")]))
