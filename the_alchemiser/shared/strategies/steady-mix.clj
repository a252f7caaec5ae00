; The classic balance of stocks, bonds and gold, traded only when a weight has drifted five points from its place.
; The stock half moves to low-volatility stocks while the market is more than a tenth below its high of the half year.
(defsymphony "Steady mix" {:asset-class "EQUITIES", :rebalance-threshold 0.05}
  (weight-specified
    0.5 (if (< (max-drawdown "SPY" {:window 120}) 10)
          [(asset "SPY" "SPDR S&P 500 ETF Trust")]
          [(asset "USMV" "iShares MSCI USA Min Vol Factor ETF")])
    0.3 (asset "TLT" "iShares 20+ Year Treasury Bond ETF")
    0.2 (asset "GLD" "SPDR Gold Shares")))
