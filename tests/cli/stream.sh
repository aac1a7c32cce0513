# The life of a stream: settings, truncation, deletion, tombstone.
start_server
for i in 1 2 3 4 5; do
    acta append -q order-42 Noted $i
done

echo '---- show'
try stream show order-42
try stream show nowhere

echo '---- settings'
try stream set order-42 --max-count 4 --max-age 7d
try stream set order-42 --max-count 4
try stream show order-42
try stream show order-42 --json
try read order-42
try stream set order-42 --max-count 0 --max-age 0 --expect 5 --json
try stream show order-42
try stream set order-42 --max-count 1 --expect 4
try stream set unborn-1 --max-age 12h --expect 0
try stream show unborn-1

echo '---- truncate'
try stream truncate order-42 --before 4
try stream truncate order-42 --before 4
try stream set order-42 --truncate-before 3
try stream truncate order-42 --before 7
try read order-42
try event order-42 3
try stream truncate order-42 --before 6
try read order-42
try tail order-42
try append order-42 Noted 6 --expect 5

echo '---- age'
acta append -q old-1 Noted 1
try stream set old-1 --max-age 1us
try read old-1
try query --category old

echo '---- delete'
try stream delete order-42 --expect 5
try stream delete order-42 --expect exists
try stream delete order-42
try stream delete order-42 --expect exists
try stream delete nowhere
try stream show order-42
try read order-42
try append order-42 Noted 7 --expect exists
try append order-42 Noted 7 --expect 3
try append order-42 Noted 7 --expect 0
try read order-42
try streams order-42

echo '---- tombstone'
try stream tombstone order-42 </dev/null
try stream tombstone order-42 --yes --expect 3
try stream tombstone order-42 --yes
try stream tombstone order-42 --yes --json
try stream tombstone reserved-1 --yes
try append order-42 Noted 8
try append reserved-1 Noted 8 --expect 0
try append --atomic <<'END'
{"stream":"other-1","type":"Noted","data":8}
{"stream":"order-42","type":"Noted","data":9,"expected":7}
END
try stream delete order-42
try stream set order-42 --max-count 3
try stream show reserved-1
try tail order-42
echo '{"stream":"order-42","type":"Noted","data":10}' | try import -
stop_server KILL
start_server
try streams
