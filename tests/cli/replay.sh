# Events once more: counted, to stdout, to commands, to a consumer.
start_server
for i in 1 2 3 4 5 6; do
    acta append -q "order-$((i % 2))" "Order$((i % 3))" $i
done

data() {
    sed 's/.*"data":\(.*\)}/\1/' | tr '\n' ' '
    echo
}

seconds() {
    sed -E 's/\([0-9.]+ s\)/(N s)/'
}

echo '---- counted'
try replay --dry-run
try replay --dry-run --from 2 --to 4 --json
try replay --dry-run order-1
try replay --dry-run --from 2h --type Order1
try replay --dry-run --to 2h --json
try replay --dry-run --since 2200-01-01

echo '---- to stdout'
try replay | data
try replay --from 3 --to 4 -q | data
try replay --type Order2 --rate 1000 --json 2>&1 | data

echo '---- to a command'
try replay --exec 'wc -l | tr -d " "'
try replay --from 5 --exec cat -q | data
try replay --exec 'cat >/dev/null; exit 3'
try replay --exec 'cat >/dev/null; exit 3' --json
try replay --exec 'kill -9 $$' 2>&1 | sed -E 's/(^|position |from )[0-9]+/\1N/g'
try replay --exec 'exit 0' -q

echo '---- each to a command'
try replay --each 'wc -l | tr -d " "' --to 2
try replay --each 'grep -q "\"data\":[123]}"'
try replay --each 'grep -q "\"data\":[123]}"' --json
try replay --each 'exit 0' --from 5

echo '---- Ctrl-C'
set -m
"$build/tools/acta" replay --rate 1 \
    --each 'echo one; [ "$(wc -l <given)" -lt 2 ] || exec sleep 60' >given 2>talk &
replay=$!
set +m
wait_for 'the first event' lines_are given 1
kill -INT $replay
wait $replay
echo "exit $?"
sed -E 's/^[0-9]+ events?, up to position [0-9]+/N events, up to position N/' talk

# What ends acta ends the command, too.
"$build/tools/acta" replay -q --exec 'read -r line; echo "$line"; exec sleep 60' \
    >read_one &
replay=$!
wait_for 'the first event' lines_are read_one 1
kill -TERM $replay
wait $replay
echo "exit $?"

echo '---- to a consumer'
try replay --to-consumer mailers
acta consumer create -q mailers --type Order1
try replay --to-consumer mailers --dry-run --from 2 --json
"$build/tests/cli/member" "$ACTA_SERVER" mailers ack ack rest >handled &
member=$!
wait_for 'both events' lines_are handled 2
at_the_end() {
    acta consumer show mailers --json | grep -q '"position":6,'
}
wait_for 'its place' at_the_end
try replay --to-consumer mailers --from 4 2>&1 | seconds
try replay --to-consumer mailers 2>&1 | seconds
kill $member
wait $member
# Different keys come side by side.
cut -d' ' -f2 handled | sort | uniq -c
try replay --to-consumer mailers --no-wait

echo '---- mistakes'
try replay --to-consumer mailers --exec cat
try replay --to-consumer mailers --to 3
try replay --to-consumer mailers --type A
try replay --no-wait
try replay --from 3 --since 2h
try replay --from nowhere
try replay --rate 0
