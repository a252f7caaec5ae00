; The classic balance of stocks, bonds and gold, traded only when a weight is five points off its target. The stock
; half moves to low-volatility stocks after a drawdown of the market of 10 percent or more within half a year.
(defsymphony "Steady mix" {:asset-class "EQUITIES", :rebalance-threshold 0.05}
  (weight-specified
    0.5 (if (< (max-drawdown "SPY" {:window 120}) 10)
          [(asset "SPY" "SPDR S&P 500 ETF Trust")]
          [(asset "USMV" "iShares MSCI USA Min Vol Factor ETF")])
    0.3 (asset "TLT" "iShares 20+ Year Treasury Bond ETF")
    0.2 (asset "GLD" "SPDR Gold Shares")))
