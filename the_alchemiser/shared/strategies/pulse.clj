; Momentum of momentum: holds growth while the market's price oscillator is above its own signal line. Below it,
; it holds gold if the gold price has been steady, and otherwise half gold and half cash.
(defsymphony "Pulse" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (if (> (percentage-price-oscillator "SPY" {:short-window 12 :long-window 26})
         (percentage-price-oscillator-signal "SPY" {:short-window 12 :long-window 26 :smooth-window 9}))
    [(filter (percentage-price-oscillator {:short-window 10 :long-window 40}) (select-top 1)
       [(asset "QQQ" "Invesco QQQ Trust")
        (asset "MTUM" "iShares MSCI USA Momentum Factor ETF")
        (asset "IWM" "iShares Russell 2000 ETF")])]
    [(if (<= (stdev-price "GLD" {:window 20}) 2.5)
       [(asset "GLD" "SPDR Gold Shares")]
       [(weight-specified
          0.5 (asset "GLD" "SPDR Gold Shares")
          0.5 (empty))])]))
