; Mean reversion. A sharp fall of the growth index is bought, a hot one is left for defensive companies;
; in between the least stretched of the broad funds is held.
(defsymphony "Dip buyer" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (if (< (rsi "QQQ" {:window 5}) 30)
    [(asset "QQQ" "Invesco QQQ Trust")]
    [(if (> (rsi "QQQ" {:window 5}) 75)
       [(weight-equal
          [(asset "JNJ" "Johnson & Johnson")
           (asset "PG" "The Procter & Gamble Company")])]
       [(filter (rsi {:window 10}) (select-bottom 1)
          [(asset "SPY" "SPDR S&P 500 ETF Trust")
           (asset "IWM" "iShares Russell 2000 ETF")
           (asset "QUAL" "iShares MSCI USA Quality Factor ETF")])])]))
