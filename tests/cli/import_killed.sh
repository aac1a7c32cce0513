# An import that is killed in the middle, more than once, is whole and in order
# after it was repeated.
start_server
for i in {1..3000}; do
    echo "{\"stream\":\"s-$((i % 7))\",\"type\":\"T\",\"data\":$i}"
done >events.ndjson
mkfifo pipe

# kill_after LINES: kill an import that has been given so many, some of which
# are stored.
kill_after() {
    local importer

    "$build/tools/acta" import --quiet --clients 2 --batch 50 pipe &
    importer=$!
    exec 5>pipe
    head -n "$1" events.ndjson >&5
    wait_for 'the import of some lines' more_than "$2"
    kill -KILL $importer
    wait $importer 2>/dev/null
    exec 5>&-
}

more_than() {
    ! head_is "$1"
}

kill_after 700 0
before=$(acta ping --json | sed 's/.*"head":\([0-9]*\).*/\1/')
kill_after 2500 "$before"
try import --quiet --batch 333 events.ndjson
acta ping --json | grep -o '"head":[0-9]*'
for i in {0..6}; do
    acta read "s-$i" --json | sed 's/.*"data":\([0-9]*\)}/\1/' >read
    awk -v n=$i '$0 ~ "\"s-" n "\"" { match($0, /"data":[0-9]+/)
        print substr($0, RSTART + 7, RLENGTH - 7) }' events.ndjson >sent
    cmp read sent
done
