# Expected versions that are wrong, and ids that are used again.
start_server
id=0190163d-8694-739b-aea5-966c26f8ad91

try append order-42 OrderPlaced 1 --expect 0
try append order-42 OrderPlaced 1 --expect 0
try append order-42 OrderPlaced 1 --expect 7
try append order-43 OrderPlaced 1 --expect 7
try append order-43 OrderPlaced 1 --expect exists
try append order-42 OrderPaid 2 --expect exists
try append order-42 OrderPaid 2 --expect any
try append order-42 Noted 3 --expect 3 --id $id
try append order-42 Noted 3 --expect 3 --id $id
try append order-42 Noted 4 --expect 4 --id $id

echo '---- many, all or none'
try append --ndjson <<'END'
{"stream":"a-1","type":"One","data":1,"expected":0}
{"stream":"a-1","type":"Two","data":2}
{"stream":"b-1","type":"Three","data":3,"expected":0}
END
try append --ndjson <<'END'
{"stream":"c-1","type":"One","data":1}
{"stream":"b-1","type":"Four","data":4,"expected":0}
END
try append --ndjson <<'END'
{"stream":"c-1","type":"One","data":1}
{"stream":"c-1","type":"Two","data":1.}
END
try append --ndjson </dev/null
try streams
