; Reversal: each January it buys the three large companies that did worst over the past year, in equal parts,
; because a bad year is more often than not followed by a better one.
(defsymphony "Last year's dogs" {:asset-class "EQUITIES", :rebalance-frequency :yearly}
  (filter (cumulative-return {:window 240}) (select-bottom 3)
    [(asset "AAPL" "Apple Inc.")
     (asset "MSFT" "Microsoft Corporation")
     (asset "JPM" "JPMorgan Chase & Co.")
     (asset "UNH" "UnitedHealth Group Incorporated")
     (asset "XOM" "Exxon Mobil Corporation")
     (asset "CVX" "Chevron Corporation")
     (asset "KO" "The Coca-Cola Company")
     (asset "WMT" "Walmart Inc.")]))
