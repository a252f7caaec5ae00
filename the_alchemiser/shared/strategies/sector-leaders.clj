; Industry momentum: of four industries, each an equal basket, the two with the highest mean daily return in a quarter.
; When the market's fast average is below its slow one, it holds only the calmer of food and medicine.
(defsymphony "Sector leaders" {:asset-class "EQUITIES", :rebalance-frequency :weekly}
  (if (>= (exponential-moving-average-price "SPY" {:window 20}) (exponential-moving-average-price "SPY" {:window 100}))
    [(group "Leaders"
       [(filter (moving-average-return {:window 60}) (select-top 2)
          [(group "Energy"
             [(weight-equal
                [(asset "XOM" "Exxon Mobil Corporation")
                 (asset "CVX" "Chevron Corporation")])])
           (group "Medicine"
             [(weight-equal
                [(asset "JNJ" "Johnson & Johnson")
                 (asset "UNH" "UnitedHealth Group Incorporated")])])
           (group "Food and household"
             [(weight-equal
                [(asset "PG" "The Procter & Gamble Company")
                 (asset "KO" "The Coca-Cola Company")
                 (asset "WMT" "Walmart Inc.")])])
           (group "Technology"
             [(weight-equal
                [(asset "AAPL" "Apple Inc.")
                 (asset "MSFT" "Microsoft Corporation")
                 (asset "NVDA" "NVIDIA Corporation")])])])])]
    [(filter (stdev-return {:window 40}) (select-bottom 1)
       [(group "Defensive: food"
          [(asset "KO" "The Coca-Cola Company")
           (asset "WMT" "Walmart Inc.")])
        (group "Defensive: medicine"
          [(asset "JNJ" "Johnson & Johnson")
           (asset "UNH" "UnitedHealth Group Incorporated")])])]))
