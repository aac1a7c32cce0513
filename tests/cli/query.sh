# What is wanted is said the same way to query, read, tail and export.
start_server
acta import -q - <<'END'
{"stream":"order-1","type":"OrderPlaced","data":1,"tags":["customer:7"]}
{"stream":"order-2","type":"OrderPlaced","data":2,"tags":["customer:8","rush"]}
{"stream":"payment-1","type":"Paid","data":3,"tags":["customer:7"]}
{"stream":"order-1","type":"OrderPaid","data":4,"correlation_id":"0190163d-8694-739b-aea5-966c26f8ad91"}
{"stream":"audit","type":"Odd*","data":5,"tags":["odd*"]}
END
acta append -q order-2 OrderCancelled 6 --tag customer:8

# numbers COMMAND...: the data of the events, and what is said about them.
numbers() {
    acta "$@" --json >found
    local status=$?
    sed 's/.*"data":\([0-9]*\).*/\1/' found | paste -sd' '
    [ $status -eq 0 ] || echo "exit $status"
}

echo '---- query'
try query --type 'Order*' --tag customer:8
try query --type 'Order*' -n 1
try query --type 'Order*' -r --after 1
try query --type 'Order*' -r -n 1
try query --type 'Order*' -r -n 1 -q
numbers query
numbers query --all
numbers query --type 'Order*'
numbers query --type Paid --type 'OrderP*'
numbers query --category order --tag customer:8 --tag rush
numbers query --stream 'order-*' --stream audit
numbers query --correlation 0190163d-8694-739b-aea5-966c26f8ad91
numbers query --corr 0190163d-8694-739b-aea5-966c26f8ad91 --or --tag rush
numbers query --type Paid --or --stream order-2 --type 'OrderC*' --or --tag rush
numbers query --type 'Odd\*'
numbers query --tag 'odd\*' -q
numbers query --type Nothing

echo '---- where it begins and ends'
numbers query --type 'Order*' --after 2
numbers query --type 'Order*' -n 2
numbers query --type 'Order*' -n 2 --after 2
numbers query --type 'Order*' --reverse
numbers query --type 'Order*' --reverse --after 2
numbers query --type 'Order*' -r -n 1
numbers query --after 99

echo '---- the same filter elsewhere'
numbers read 'order-*'
numbers read order-1 --from 3
numbers read order-1 --from 3 --type 'Order*'
numbers read order-1 --from 2 --reverse
numbers read order-1 --from 2 --reverse --since 1h
numbers read 'order-*' --type OrderPaid
numbers read order-1 --type 'OrderP*' --reverse
numbers read --type Paid --or --tag rush
numbers tail --type 'Order*' -n 2
numbers tail 'order-*' -n 0
numbers export --type 'Order*' --or --type Paid

echo '---- since'
time=$(acta read order-2 --json | tail -1 | sed 's/.*"time":"\([^"]*\).*/\1/')
numbers query --since "$time"
numbers read --since "$time" --type OrderCancelled
for since in 1h 2w 2020-01-01 2020-01-01T12:30 '2020-01-01 12:30:15.5Z'; do
    numbers read --since "$since"
done
numbers read --since 2200-01-01
numbers read order-1 --since 1h
numbers read order-1 --since 2200-01-01
numbers read --since 1h --reverse
numbers read --since 2200-01-01 --reverse
numbers read --since 1h --reverse --from 3
numbers tail --since 1h
numbers tail --since 1h -n 1 --category order
numbers tail --since 2200-01-01
