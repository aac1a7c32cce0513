# What is exported can be imported into an empty server, and is then the same.
start_server
acta import -q - <<'END'
{"stream":"a-1","type":"One","data":{"x":90.0,"y":"\u00e9"},"tags":["t:1","t:2"],"metadata":[ 1 ]}
{"stream":"b-1","type":"Two","data":"two","correlation_id":"0190163d-8694-739b-aea5-966c26f8ad92"}
{"stream":"a-1","type":"Three","data":3,"causation_id":"0190163d-8694-739b-aea5-966c26f8ad93"}
END
printf 'a\0b' | acta append -q b-1 Bytes - --meta 'no JSON'
printf '{"a":\n 1}' | acta append -q b-1 Lines - --format json
printf '\201\241a\001' | acta append -q b-1 Packed - --format msgpack
acta append -q b-1 Empty
# JSON by name only, as another client might send it.
acta append -q --ndjson <<'END'
{"stream":"b-1","type":"NoJson","data_base64":"e30KCg==","format":"json"}
END
acta export >first
head -c 300 first | grep -c stream
start_empty_server
try import first
acta export >second
drop_times() {
    sed 's/"time":"[^"]*",//' "$1"
}
diff <(drop_times first) <(drop_times second) && echo same
try export --category a | wc -l
try export a-1 | wc -l
