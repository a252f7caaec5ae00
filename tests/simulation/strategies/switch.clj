; Growth while it is above its average, otherwise two defensive holdings.
(defsymphony "Switch" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (if (> (current-price "KKK") (moving-average-price "KKK" {:window 30}))
    [(weight-equal [(asset "KKK" "Kappa") (asset "EEE" "Epsilon")])]
    [(weight-equal [(asset "MMM" "Mu") (asset "NNN" "Nu")])]))
