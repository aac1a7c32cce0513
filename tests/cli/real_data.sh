# Real events come back byte for byte and in order, also after a kill.
data=$source_root/../shared/data
[ -d "$data" ] || skip "there is no $data"
command -v python3 >/dev/null || skip 'there is no python3'

start_server
try import --clients 4 "$data/hospital.ndjson"
try import --clients 4 "$data/github-webhooks.ndjson"
acta export >exported
python3 "$cases/compare.py" exported "$data/hospital.ndjson" \
    "$data/github-webhooks.ndjson"
stop_server KILL
start_server
acta export | cmp - exported
try import "$data/hospital.ndjson"

echo '---- by one client in the order of the file'
start_empty_server
try import "$data/hospital.ndjson"
acta export >exported
python3 "$cases/compare.py" --in-order exported "$data/hospital.ndjson"
