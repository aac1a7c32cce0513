# actad verify: what is whole, where damage is, and nothing is changed by it.

# verify ARGUMENT...: with the exit code if that is not 0. What depends on when
# marks and checkpoints were written is masked.
verify() {
    local before status
    before=$(fingerprint_at_rest)
    "$build/server/actad" verify "$@" >said
    status=$?
    sed -E -e 's/(pages|segments|entries|from|rows) [0-9]+/\1 N/g' \
        -e 's/from N to [0-9]+/from N to N/' \
        -e 's/[0-9a-f]{16}/SEGMENT/; s/entry [0-9]+/entry N/' \
        -e 's/at (offset )?[0-9]+/at \1N/g' \
        -e 's/page [0-9]+/page N/' said
    [ $status -eq 0 ] || echo "exit $status"
    [ "$before" = "$(fingerprint_at_rest)" ] || echo 'FAILED: it has changed something'
}

# All that is in the directories, and when it was written. A server writes what
# it wants.
fingerprint_at_rest() {
    [ -z "$server" ] || return 0
    find . -path './d*' -printf '%p %y %s %m %T@\n' | sort
    find . -path './d*' -type f -exec b2sum {} + | sort
}

# flip FILE OFFSET: one bit there, and once more to have it back.
flip() {
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "\\x$(printf '%02x' $((byte ^ 4)))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# offset_of TEXT FILE: the last place where it is.
offset_of() {
    grep -obUaF "$1" "$2" | tail -n 1 | cut -d: -f1
}

json() {
    python3 -c 'import json, sys
said = json.load(open("said"))
print(said["whole"], said["head"], said["problems_count"], len(said["problems"]),
      said["store"]["events"], said["store"]["streams"],
      [p["file"] for p in said["problems"]], said.get("error", {}).get("code"))'
}

PATH=$build/server:$PATH

echo '# a server has it open'
start_server
for i in {1..200}; do
    echo "{\"stream\":\"s-$((i % 7))\",\"type\":\"T\",\"data\":\"needle-$i-\"}"
done | acta import --quiet -
verify data
verify --json data >/dev/null
json
acta verify | tail -n 1
acta verify --json | python3 -c 'import json, sys
said = json.load(sys.stdin)
print(said["whole"], said["head"], said["problems"])'
acta verify --rate x

# verify_slowly OPTION...: begin one that does not come to its end. It is under way, or
# about to be, when Ctrl-C is caught.
verify_slowly() {
    set -m
    "$build/tools/acta" verify --json --rate 1 "$@" >said 2>talk &
    verifier=$!
    set +m
    wait_for 'a verification' catches_signals $verifier
}

# As acta does, and not the shell that becomes it.
catches_signals() {
    tr '\n' ' ' <"/proc/$1/status" |
        grep -q '^Name:.acta .*SigCgt:.[0-9a-f]*[37bf] '
}

echo '# it does not come to its end'
why() {
    python3 -c 'import json
said = json.load(open("said"))
print(said["problems"], said["whole"], said["error"]["code"])'
}

verify_slowly
kill -INT $verifier
wait $verifier
echo "exit $?"
why
cat talk
verify_slowly --timeout 5s
stop_server KILL
wait $verifier
echo "exit $?"
why
grep -o '^{"error":"[A-Z]*"' talk
start_server

echo '# stopped in order'
stop_server
verify data
verify data/ | tail -n 1
verify --json data >/dev/null
json

echo '# a bit of an event in the store'
store=data/main/store/data.mdb
at=$(offset_of needle-77- $store)
flip $store "$at"
verify data
verify --json data >/dev/null
json
echo '# it is salvaged from the journal'
"$build/server/actad" salvage data salvaged
echo "exit $?"
verify salvaged | tail -n 1
"$build/server/actad" salvage data salvaged
echo "exit $?"
flip $store "$at"
verify data | tail -n 1

echo '# a bit each of the two pages of the store that say where all is'
flip $store 16
flip $store $((4096 + 16))
verify data
flip $store 16
flip $store $((4096 + 16))

echo '# a bit of the journal, after a kill'
start_server
for i in 1 2 3; do
    acta append late L "\"late-$i-\"" >/dev/null
done
stop_server KILL
verify data | tail -n 1
journal=$(grep -laF late-2- data/main/journal/*)
at=$(offset_of late-2- "$journal")
flip "$journal" "$at"
verify data
grep -o 'at offset [0-9]*' said | grep -qx "at offset $((at / 4096 * 4096))" ||
    echo 'FAILED: the offset is another'
flip "$journal" "$at"

echo '# a segment and half a store are missing'
cp -r data damaged
rm damaged/main/journal/segment-*
verify damaged
truncate -s 12288 damaged/main/store/data.mdb
verify damaged

echo '# no database, and wrong use'
mkdir directory
verify directory
verify --json directory >/dev/null
json
verify nowhere
verify
verify --jsn data
verify data data
for words in 'verify data' --check-config --help --version; do
    "$build/server/actad" $words >/dev/full
    echo "exit $?"
done

echo '# acta runs actad, and exits with codes of its own'
exits() {
    acta "$@" >said 2>&1
    echo "exit $?, $(tail -n 1 said)"
}
acta verify data >said
echo "exit $?"
exits verify --rate 1 data
flip "$journal" "$at"
exits verify data
exits verify --json directory
exits salvage data rest | cut -d, -f1
exits salvage data rest | cut -d, -f1
flip "$journal" "$at"
exits verify nowhere
start_server
exits verify data | sed 's/[0-9]*)/PID)/'
stop_server
PATH=/nowhere acta verify data
echo "exit $?"
