; Cross-sectional momentum: the four large companies, from different industries, that gained most over a quarter,
; as long as the market itself has gained over half a year; otherwise the two calmest factor and bond funds.
(defsymphony "Momentum rotation" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (if (> (cumulative-return "SPY" {:window 120}) 0)
    [(filter (cumulative-return {:window 60}) (select-top 4)
       [(asset "AAPL" "Apple Inc.")
        (asset "MSFT" "Microsoft Corporation")
        (asset "NVDA" "NVIDIA Corporation")
        (asset "JPM" "JPMorgan Chase & Co.")
        (asset "UNH" "UnitedHealth Group Incorporated")
        (asset "XOM" "Exxon Mobil Corporation")
        (asset "WMT" "Walmart Inc.")])]
    [(filter (stdev-return {:window 20}) (select-bottom 2)
       [(asset "USMV" "iShares MSCI USA Min Vol Factor ETF")
        (asset "QUAL" "iShares MSCI USA Quality Factor ETF")
        (asset "TLT" "iShares 20+ Year Treasury Bond ETF")
        (asset "GLD" "SPDR Gold Shares")])]))
