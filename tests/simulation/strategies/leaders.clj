; The four that gained most in a month, in equal parts.
(defsymphony "Leaders" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (filter (cumulative-return {:window 20}) (select-top 4)
    [(asset "AAA" "Alpha")
     (asset "BBB" "Beta")
     (asset "CCC" "Gamma")
     (asset "DDD" "Delta")
     (asset "EEE" "Epsilon")
     (asset "LLL" "Lambda")]))
