; Factors with brakes: the two factor funds that lead over half a year, the fund with the smallest recent fall, and
; a bond fund. Each part is weighted by the inverse of its volatility; the weights are set once per quarter.
(defsymphony "Factor tilt" {:asset-class "EQUITIES", :rebalance-frequency :quarterly}
  (weight-inverse-volatility 60
    [(group "Leading factors"
       [(filter (cumulative-return {:window 120}) (select-top 2)
          [(asset "MTUM" "iShares MSCI USA Momentum Factor ETF")
           (asset "VLUE" "iShares MSCI USA Value Factor ETF")
           (asset "SIZE" "iShares MSCI USA Size Factor ETF")
           (asset "QUAL" "iShares MSCI USA Quality Factor ETF")])])
     (group "Shallowest fall"
       [(filter (max-drawdown {:window 60}) (select-bottom 1)
          [(asset "USMV" "iShares MSCI USA Min Vol Factor ETF")
           (asset "SPY" "SPDR S&P 500 ETF Trust")
           (asset "QUAL" "iShares MSCI USA Quality Factor ETF")])])
     (asset "TLT" "iShares 20+ Year Treasury Bond ETF")]))
