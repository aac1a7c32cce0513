# Appends that take place later.
start_server

events_are() { # STREAM COUNT
    [ "$(acta read "$1" --json 2>/dev/null | wc -l)" -eq "$2" ]
}

has_failed() {
    acta schedule ls "$1" --json | grep -q '"state":"failed"'
}

echo '---- made'
try schedule ls
try append order-1 Expired '{"n":1}' --name order-1-late --at 2200-01-01
id=0190163d-8694-739b-aea5-966c26f8ad91
try append order-2 Expired 2 --name order-2-late --at 2200-01-02T12:30 \
    --id $id --json
try append order-2 Expired 2 --name order-2-late --at 2200-01-02T12:30 --id $id
try append order-2 Expired 3 --name order-2-late --at 2200-01-02
try append --atomic --name many --delay 7d <<'END'
{"stream":"a-1","type":"One","data":1,"expected":0}
{"stream":"a-2","type":"Two","data":2}
END
acta schedule ls | grep -v '^many'
acta schedule ls order-1 --json
acta schedule ls many --json | sed 's/"due":"[^"]*"/"due":T/'
try read order-1

echo '---- it takes place'
try append order-3 Expired 1 --name soon --delay 1ms
wait_for 'what is due' events_are order-3 1
try schedule ls s
try schedule cancel soon

echo '---- moved, cancelled'
try schedule move order-1-late --at 2100-01-01
try schedule move order-1-late --delay 1ms --json
wait_for 'what is due' events_are order-1 1
try schedule move order-1-late --delay 1h
try schedule cancel order-2-late
try schedule cancel order-2-late
try schedule cancel many --json

echo '---- refused when it is due'
try append order-1 Expired 9 --expect 7 --name wrong --delay 1ms
wait_for 'the refusal' has_failed wrong
acta schedule ls wrong --json | sed 's/"reason":"[^"]*"/"reason":R/'
for i in 2 3 4 5 6 7; do
    acta append -q order-1 Noted $i
done
try schedule move wrong --delay 0s
wait_for 'the second time' events_are order-1 8
try schedule ls

echo '---- judged now'
try append order-5 Expired 1 --name judged --delay 1h --check order-1=3
try append order-5 Expired 1 --name judged
try append order-5 Expired 1 --delay 1h
try append order-5 Expired 1 --name judged --at 2h
try append order-5 Expired 1 --name judged --at 2200-01-01 --delay 2h
try schedule move judged
try schedule move judged --delay soon
