; Trend following: while the market is above its 200-day average, it holds stocks, led by whichever of growth and
; broad has more momentum. Below it, it holds bonds or gold if they are above their averages, otherwise half of each.
(defsymphony "Trend shield" {:asset-class "EQUITIES", :rebalance-frequency :daily}
  (if (> (current-price "SPY") (moving-average-price "SPY" {:window 200}))
    [(weight-specified
       0.6 (if (> (cumulative-return "QQQ" {:window 60}) (cumulative-return "SPY" {:window 60}))
             [(asset "QQQ" "Invesco QQQ Trust")]
             [(asset "SPY" "SPDR S&P 500 ETF Trust")])
       0.4 (asset "IWM" "iShares Russell 2000 ETF"))]
    [(if (> (current-price "TLT") (moving-average-price "TLT" {:window 50}))
       [(group "Bonds first"
          [(weight-specified
             0.7 (asset "TLT" "iShares 20+ Year Treasury Bond ETF")
             0.3 (asset "GLD" "SPDR Gold Shares"))])]
       [(if (> (current-price "GLD") (moving-average-price "GLD" {:window 50}))
          [(asset "GLD" "SPDR Gold Shares")]
          [(weight-equal
             [(asset "TLT" "iShares 20+ Year Treasury Bond ETF")
              (asset "GLD" "SPDR Gold Shares")])])])]))
