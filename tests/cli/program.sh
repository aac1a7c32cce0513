# With --json all that is said on stderr is an object a line, too.
start_server
id=0190163d-8694-739b-aea5-966c26f8ad91
acta append -q order-1 OrderPlaced 1 --tag customer:7 --id $id
acta append -q order-1 OrderPaid 2
acta append -q order-2 OrderPlaced 3

# said COMMAND...: what is said on stderr, and the exit code.
said() {
    acta "$@" --json 2>talk >found
    local status=$?
    tee -a all_talk <talk
    [ $status -eq 0 ] || echo "exit $status"
}

echo '---- refused'
said append order-1 OrderPaid 4 --expect 1
said append order-1 OrderPaid 4 --expect 1 -q
said append order-9 OrderPaid 4 --expect exists
said append note-1 Noted 4 --check order-1=1 --check order-2=1 --check x=exists \
    --if-none '--type "OrderP*"' --after 1 --if-none '--tag customer:7'
said append order-1 OrderPlaced 5 --id $id
said append order-1 OrderPaid 4 --expect 1 --unseen 10
sed 's/.*"data":\([0-9]*\).*/\1/' found
said append order-1 OrderPaid 4 --expect 0 --unseen 1 -q
said append --atomic <<'END'
{"stream":"order-1","type":"Noted","data":6,"expected":1}
{"stream":"note-1","type":"Noted","data":7}
{"stream":"order-1","type":"Noted","data":8}
END
said append --atomic <<END
{"stream":"order-1","type":"OrderPlaced","data":1,"tags":["customer:7"],"id":"$id"}
{"stream":"order-1","type":"Noted","data":8}
END
said stream delete order-1 --expect 1
said stream set nowhere --max-count 3 --expect exists
said erase order-1 --all --yes --expect 1
said erase order-1 9 --yes
acta stream tombstone -q order-2 --yes
said append order-2 Noted 9 --expect 7
said stream delete order-2

echo '---- up to where it holds'
said query --type OrderPaid
said query -q --type OrderPaid --after 3
said query -n 1
said query -n 0 --after 1
said query --reverse
said query --reverse -n 1
said query -r --after 1
said query -r --type Nothing -q
said query -r -n 0
said query --since 2200-01-01
said query -r --since 2200-01-01
position=$(acta query -r -n 1 --json 2>&1 >/dev/null |
    sed 's/.*"position":\([0-9]*\).*/\1/')
said append note-1 Noted 10 --if-none --all --after "$position" -q
said append note-1 Noted 11 --if-none --all --after "$position" -q

echo '---- other mistakes'
said
said nonsense
said "$(printf 'no UTF-8: \xff\xc3(\xed\xa0\x80')" 'é'
said import "$(printf 'caf\xe9.ndjson')"
said read --nonsense
said read -qx
try --json append order-1 Type --expect
said append order-1 Type --expect -1
said append order-1 Type @nowhere
said read nowhere
said read order-2
said event order-1 9
said erase order-1 1 </dev/null
said ping -s acta://127.0.0.1:1
said append --atomic <<'END'
{"stream":"c-1","type":"Two","data":1.}
END
said import --continue - <<'END'
{"stream":"c-1"}
{"type":"One","data":1}
END
said import - <<'END'
{"stream":"c-1"}
END
acta ping --json >/dev/full

echo '---- what a program makes of it'
python3 - <<'END'
import json

lines = open("all_talk", encoding="utf-8").read().splitlines()
objects = [json.loads(line) for line in lines]
assert objects and all(isinstance(what, dict) for what in objects)
print(sum("error" in what for what in objects), "errors of", len(objects))
END
