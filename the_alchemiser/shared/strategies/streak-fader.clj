; Streaks end: after three gains of the market in a row (a Cutler RSI of 100) half of the money moves to bonds, and
; after three losses (an RSI of 0) all of it buys the calmer of two growth funds; otherwise it holds a broad fund.
(defsymphony "Streak fader" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (if (= (rsi "SPY" {:window 3}) 100)
    [(weight-equal
       [(asset "SPY" "SPDR S&P 500 ETF Trust")
        (asset "TLT" "iShares 20+ Year Treasury Bond ETF")])]
    [(if (= (rsi "SPY" {:window 3}) 0)
       [(filter (stdev-return {:window 10}) (select-bottom 1)
          [(asset "QQQ" "Invesco QQQ Trust")
           (asset "MTUM" "iShares MSCI USA Momentum Factor ETF")])]
       [(asset "QUAL" "iShares MSCI USA Quality Factor ETF")])]))
