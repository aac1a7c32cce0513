# acta backup and acta restore: what is added, what is told, and that a restored
# database is the one that was backed up.

# said COMMAND...: what it prints, without what differs from run to run.
said() {
    try "$@" 2>&1 | sed -E -e 's/[0-9.]+ (bytes|[KMG]iB)/SIZE/g' \
        -e 's/[0-9.]+ s$/SECONDS/' -e 's/and [0-9]+ commits?/and N commits/' \
        -e 's/: [0-9]+ events/: N events/' -e "s|$PWD/||g" \
        -e 's/part-[0-9a-f]{16}/PART/; s/offset [0-9]+/offset N/' \
        -e 's/says [0-9]+/says SIZE/' |
        grep -v '^the server.s store has grown'
}

fields() { # COMMAND... FIELD,FIELD: of what it prints as JSON
    local names=${!#}
    acta "${@:1:$#-1}" --json | python3 -c 'import json, sys
said = json.load(sys.stdin)
print(*(said[name] for name in sys.argv[1].split(",")))' "$names"
}

feed() { # FROM TO
    for ((i = $1; i <= $2; i++)); do
        echo "{\"stream\":\"s-$((i % 7))\",\"type\":\"T\",\"data\":\"needle-$i-\",\"tags\":[\"t:$((i % 3))\"]}"
    done | acta import --quiet --source "$1" -
}

# All that it shows.
tell() {
    acta export
    acta streams
    acta tags
    acta consumer ls --json | sed -E 's/"seconds":[0-9.]+//g'
    acta schedule ls --json
    acta snapshot show s-1 --json
    acta stream show s-2 --json
}

echo '# the first one copies all'
start_server
feed 1 200
acta consumer create follower --from 17 >/dev/null
acta append later-1 T '{}' --name later --delay 9h >/dev/null
acta snapshot put s-1 5 --schema 2 '{"n":5}' >/dev/null
acta stream set s-2 --max-count 3 >/dev/null
said backup one
said backup show one
fields backup one base,events,kept

echo '# later ones add what is new'
feed 201 250
fields backup one --verify base,position,events
feed 251 300
fields backup one --rate 100M base,position,events
fields backup show one position
fields backup verify one whole,position

echo '# restored, it is the same, under another id'
tell >before.txt
said restore one two
said restore one two
stop_server
mv data source
mv two data
start_server
tell >after.txt
cmp before.txt after.txt && echo the same
feed 301 310
fields ping head
said backup one

echo '# as of a position'
said restore one three --to-position 200
said restore one four --to-position 0
"$build/server/actad" verify three | tail -n 1
said restore one five --until 2020-01-01

echo '# of erased events nothing is left in the next one'
acta erase s-3 1 --yes >/dev/null
said backup new --verify
grep -c -aF needle-3- new/part-* | cut -d: -f2
acta erase s-4 1 --yes >/dev/null
said backup new
grep -l -aF needle-4- new/part-* | wc -l
fields backup new --anew base,reason
acta append s-1 T '{}' >/dev/null
acta backup new | grep -o ': 1 event,'

echo '# one that has lost a part is not gone on with'
acta backup new --quiet >/dev/null
cp -r new lost
rm "$(ls lost/part-* | tail -n 1)"
said backup lost
fields backup lost --verify base,reason
truncate -s -1 "$(ls lost/part-* | tail -n 1)"
said backup lost
fields backup verify lost whole,position
rm lost/manifest
said backup lost
said backup verify lost

echo '# damage is found'
cp -r one broken
python3 - broken/part-* <<'END'
import sys
with open(sys.argv[-1], "r+b") as file:
    file.seek(1000)
    byte = file.read(1)
    file.seek(1000)
    file.write(bytes([byte[0] ^ 4]))
END
said backup verify broken
said restore broken six
ls -d six* 2>/dev/null
truncate -s 100 broken/manifest
said backup show broken

echo '# one that is told to stop while it waits for another was interrupted'
"$build/tools/acta" backup held --quiet --rate 1 &
holder=$!
wait_for 'a backup' test -e held/part-0000000000000001
said backup held
stopped=0
for _ in {1..10}; do # On a slow machine one may be told too late.
    rm -rf waiting
    "$build/tools/acta" backup waiting --timeout 2s 2>waiting.txt &
    waiter=$!
    wait_for 'another' test -e waiting/manifest
    kill -TERM $waiter 2>/dev/null
    wait $waiter
    stopped=$?
    [ $stopped -ne 130 ] || break
done
cat waiting.txt
echo "exit $stopped"
kill -TERM $holder
wait $holder
echo "exit $?"

echo '# mistakes'
mkdir strange && touch strange/file
said backup strange
said backup nothing extra
said backup
said backup show
said backup verify
ls -d show verify 2>/dev/null
said backup one --rate fast
said backup show nowhere
said restore nowhere seven
said restore one
