; Mean reversion: buys the growth index after a sharp fall and moves to defensive companies after a rise to a high;
; in between it holds the broad fund with the lowest RSI.
(defsymphony "Dip buyer" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (if (any (< (rsi "QQQ" {:window 5}) 30)
           (< (cumulative-return "QQQ" {:window 5}) -8))
    [(asset "QQQ" "Invesco QQQ Trust")]
    [(if (all (> (rsi "QQQ" {:window 5}) 75)
              (> (current-price "QQQ") (moving-average-price "QQQ" {:window 50})))
       [(weight-equal
          [(asset "JNJ" "Johnson & Johnson")
           (asset "PG" "The Procter & Gamble Company")])]
       [(filter (rsi {:window 10}) (select-bottom 1)
          [(asset "SPY" "SPDR S&P 500 ETF Trust")
           (asset "IWM" "iShares Russell 2000 ETF")
           (asset "QUAL" "iShares MSCI USA Quality Factor ETF")])])]))
