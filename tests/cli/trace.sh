# Trees of causes and effects: by event, correlation id and command, as text,
# JSON and a graph; what is missing, wrong, or too much.
start_server

id() {
    printf '0190163d-8694-739b-aea5-%012d' "$1"
}

# fact STREAM TYPE ID CAUSE CORRELATION: an event; - for an id that it has not.
fact() {
    local stream=$1 type=$2 id=$3 cause=$4 corr=$5
    local line="{\"stream\":\"$stream\",\"type\":\"$type\",\"data\":1"
    line+=",\"id\":\"$(id "$id")\""
    [ "$cause" = - ] || line+=",\"causation_id\":\"$(id "$cause")\""
    [ "$corr" = - ] || line+=",\"correlation_id\":\"$(id "$corr")\""
    echo "$line}"
}

# Times, and so the widths of columns, differ from run to run.
trees() {
    try trace "$@" 2>&1 | sed -E -e 's/[0-9]{4}-[0-9-]+ [0-9:.]+/TIME/' \
        -e 's/[+-][0-9.]+ (ms|s)/DELAY/' \
        -e 's/([A-Za-z0-9)-]) {2,}/\1  /g' -e 's/ +$//' \
        -e 's/"delay_us":-?[0-9]+/"delay_us":N/' \
        -e 's/0190163d-8694-739b-aea5-0*([0-9]+)/ID-\1/g'
}

{
    fact order-42 OrderPlaced 1 900 900
    fact payment-9 PaymentRequested 2 1 900
    fact payment-9 PaymentTaken 3 2 900
    fact order-42 OrderPaid 4 3 900
    fact stock-1 Reserved 5 1 900
    fact other-1 Else 6 - -
    fact audit-1 Noted 7 5 -
    fact audit-2 Signed 8 7 -
} | acta append --atomic -q >/dev/null

echo '---- by correlation id, event id, position, version'
trees "$(id 900)"
trees "$(id 4)"
trees 4
trees payment-9@1

echo '---- effects that have no correlation id'
trees "$(id 5)" --scan 100
trees "$(id 8)"

echo '---- an event alone'
trees "$(id 6)"

echo '---- a flow that is named after the event that began it'
{
    fact trip-1 Booked 10 - -
    fact trip-1 Left 11 10 10
    fact trip-1 Arrived 12 11 10
} | acta append --atomic -q >/dev/null
trees "$(id 11)"

echo '---- two roots, and a cause that is not there'
{
    fact two-1 First 20 - 920
    fact two-1 Second 21 - 920
    fact two-2 OfSecond 22 21 920
    fact two-3 Orphan 23 921 920
} | acta append --atomic -q >/dev/null
trees "$(id 920)"

echo '---- only known as a cause'
fact lone-1 Lonely 30 930 - | acta append --atomic -q >/dev/null
trees "$(id 930)"
trees "$(id 930)" --scan 0

echo '---- a command'
try append cart-1 Added '{}' --command "$(id 940)" -q >command.txt
trees "$(id 940)"
fact cart-2 Priced 41 940 - | acta append --atomic -q >/dev/null
trees cart-2@1

echo '---- circles'
{
    fact loop-1 A 50 51 950
    fact loop-1 B 51 50 950
    fact own-1 Own 52 52 950
} | acta append --atomic -q >/dev/null
trees "$(id 950)"

echo '---- for programs'
trees "$(id 5)" --json
trees "$(id 950)" --format dot -q
fact quote-1 'Say \"hi\" \\o/' 60 - - | acta append --atomic -q >/dev/null
trees quote-1@1 --format dot

echo '---- thousands of effects, and a long chain'
# many STREAM COUNT FIRST CORRELATION [STEP]: events with ids behind FIRST; of
# each the cause is FIRST or, with a STEP of 1, the one before it.
many() {
    awk -v stream="$1" -v count="$2" -v first="$3" -v corr="$4" -v step="${5:-0}" '
        function id(n) { return sprintf("\"0190163d-8694-739b-aea5-%012d\"", n) }
        BEGIN {
            for (i = 1; i <= count; i++) {
                print "{\"stream\":\"" stream "-" i "\",\"type\":\"Effect\"" \
                    ",\"data\":1,\"id\":" id(first + i) \
                    ",\"causation_id\":" id(first + step * (i - 1)) \
                    ",\"correlation_id\":" id(corr) "}"
            }
        }' | acta import - -q
}
many fan 3000 100000 100000
trees "$(id 100000)" -n 3
trees "$(id 100000)" -n 5000 | tail -n 2
trees fan-3000@1 -n 1
many chain 500 200000 200000 1
trees "$(id 200000)" | tail -n 2
trees "$(id 200000)" --json | grep -c '"depth":'

echo '---- a range'
trees "$(id 900)" --to 3
trees "$(id 900)" --from 3

echo '---- what is not there, or wrong'
trees "$(id 999999)"
trees "$(id 999999)" --json
trees order-42@99
trees 999999
trees order-42
trees 0
trees
trees 1 2
trees 1 --format svg
trees 1 --format dot --json

echo '---- what is hidden'
acta stream delete -q payment-9
trees "$(id 900)" --to 99999
trees payment-9@1
