; Four holdings, weighted by the inverse of their volatility.
(defsymphony "Calm" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (weight-inverse-volatility 20
    [(asset "FFF" "Zeta")
     (asset "GGG" "Eta")
     (asset "HHH" "Theta")
     (asset "AAA" "Alpha")]))
