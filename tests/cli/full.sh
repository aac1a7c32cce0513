# What cannot be printed is a failure, and nothing is told that would only be so
# if it had been: no position to go on behind, and no end that never comes.
start_server
for i in 1 2 3; do
    acta append -q order-1 Noted $i
done
acta consumer create -q mailers

# lost COMMAND...: its stdout is full.
lost() {
    echo "# $*"
    timeout 60 "$build/tools/acta" "$@" >/dev/full
    echo "exit $?"
}

lost read order-1
lost query
lost query --json
lost query -n 2
lost trace order-1@1
lost trace order-1@1 --json
lost replay
lost replay --rate 1000 --json
lost append order-1 Noted 4 --expect 1 --unseen 10 --json 2>&1 |
    grep -v '"error":"CONFLICT"'
lost tail -f
lost tail -f -n 0 --since 2200-01-01 --json &
waits=$!
# In front of this event nothing is to be written.
until ! kill -0 $waits 2>/dev/null; do
    acta append -q order-2 Noted 1
done
wait $waits
lost consumer lag --watch
