# What import takes, what it refuses, and that nothing is there twice.
start_server
cat >events.ndjson <<'END'
{"stream":"a-1","type":"One","data":{"x":90.0,"y":"\u00e9\ud83d\ude00\"}","z":[1,{"data":2}]},"tags":["t:1","t:\u0032"],"metadata":{ "by" : "ann" }}
{"type":"Two", "data" : 1E+2 ,"stream":"a-1", "expected":1}

{"stream":"b-1","type":"Th\"ree","data_base64":"AAECAw==","format":"binary","expected":"any"}
{"stream":"a-1","type":"Four","data":null,"id":"0190163d-8694-739b-aea5-966c26f8ad91","correlation_id":"0190163d-8694-739b-aea5-966c26f8ad92","causation_id":"0190163d-8694-739b-aea5-966c26f8ad93"}
{"stream":"a-1","type":"Five","data":"last, without a line end"}
END
truncate -s -1 events.ndjson

echo '---- once, twice, from another path, by other clients'
try import events.ndjson
try import events.ndjson
mkdir elsewhere
cp events.ndjson elsewhere/same.ndjson
try import --clients 3 --batch 2 elsewhere/same.ndjson
try import --json - <events.ndjson
try export

echo '---- as another source, in front of other streams'
try import --source monday --prefix copy: events.ndjson
try import --source monday events.ndjson
try streams

echo '---- wrong lines'
start_empty_server
cat >wrong.ndjson <<'END'
{"stream":"a-1","type":"One","data":1}
{"stream":"a-1","type":"Two","data":2
{"stream":"a-1","type":"Three","data":3,"expected":9}
{"stream":"a-1","type":"Four","data":4,"tag":["x"]}
{"stream":"a-1","data":5}
{"stream":"a-1","type":6,"data":6}
{"stream":"","type":"Seven","data":7}
{"stream":"a-1","type":"Eight"}
{"stream":"a-1","type":"Nine","data":9,"data":9}
{"stream":"a-1","type":"Ten","data":10,"id":"nonsense"}
{"stream":"a-1","type":"Eleven","data":11,"tags":"x"}
{"stream":"a-1","type":"Twelve","data_base64":"AAE"}
{"stream":"a-1","type":"Thirteen","data":13,"expected":-1}
[]
{"stream":"a-1","type":"Fifteen","data":15} x
{"stream":"a-1","type":"Sixteen","data":16,"tags":["x","x"]}
{"stream":"a-1","type":"Seventeen","data":17,"format":"msgpack"}
{"stream":"a-1","type":"Last","data":99,"expected":1}
END
try import --dry-run wrong.ndjson
try import --dry-run --continue wrong.ndjson 2>&1 | tail -1
try streams
try import wrong.ndjson
try import --clients 2 wrong.ndjson
try streams
try import --continue wrong.ndjson
try read a-1

echo '---- a line that is longer than any event'
with_long_line() {
    echo '{"stream":"long-1","type":"One","data":1}'
    printf '{"stream":"long-1","type":"Two","data":"'
    head -c 70000000 /dev/zero | tr '\0' x
    printf '"}\n{"stream":"long-1","type":"Three","data":3}'
}
with_long_line | try import --continue -
with_long_line | try import --dry-run - 2>&1 | head -1
try read long-1

echo '---- what cannot be read'
try import --continue .

echo '---- an id of other content'
try import - <<'END'
{"stream":"c-1","type":"One","data":1,"id":"0190163d-8694-739b-aea5-966c26f8ad91"}
{"stream":"c-1","type":"One","data":1,"id":"0190163d-8694-739b-aea5-966c26f8ad91"}
{"stream":"c-1","type":"One","data":2,"id":"0190163d-8694-739b-aea5-966c26f8ad91"}
END
