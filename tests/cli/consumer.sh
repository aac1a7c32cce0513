# Consumers: groups are made and altered, plain ones claimed; both are looked
# at, reset and removed.
start_server
for i in 1 2 3 4 5 6; do
    acta append -q "order-$((i % 2))" "Order$((i % 3))" $i --tag "customer:$i"
done
acta append -q note-1 Noted '"no order"'

# Ages grow, and epochs come from a counter that others use, too.
steady() {
    try "$@" 2>&1 | sed -E -e 's/(^| )[0-9]+ s /\1N s /' \
        -e 's/epoch [0-9]+/epoch N/' -e 's/"epoch":[0-9]+/"epoch":N/' \
        -e 's/oldest [0-9]+ s/oldest N s/'
}

echo '---- there are none'
try consumer ls
try consumer lag
try consumer show mailers
try consumer rm mailers
try consumer reset mailers start
try consumer pause mailers
try consumer parked ls mailers

echo '---- groups'
steady consumer create mailers --category order
steady consumer create mailers --category order
try consumer create mailers --category note
steady consumer create auditors --key-tag customer: --ack-timeout 2min \
    --deliveries 3 --on-park go-on --from end
steady consumer create readers --type 'Order*' --tag 'customer:4' --or \
    --stream "it's odd" --from 3 --json
steady consumer ls
steady consumer ls m
steady consumer ls -n 1 --json
steady consumer show mailers
steady consumer show auditors
steady consumer show readers --json
steady consumer lag
steady consumer lag --prefix 'r*' --json

echo '---- altered'
steady consumer alter mailers --ack-timeout 1h --all
steady consumer alter mailers --ack-timeout 1h
steady consumer pause mailers
steady consumer pause mailers
steady consumer ls mailers
steady consumer show mailers
steady consumer resume mailers
steady consumer resume mailers --json

echo '---- reset'
steady consumer reset mailers 3
steady consumer reset mailers end
steady consumer reset mailers start
steady consumer reset mailers 2h --json
steady consumer reset mailers 2200-01-01
try consumer reset mailers 9
try consumer reset mailers tomorrow

echo '---- plain ones'
steady consumer claim invoices --category order --from 3
epoch=$(acta consumer claim invoices --json | sed 's/.*"epoch":\([0-9]*\).*/\1/')
try consumer claim mailers
try consumer pause invoices
try append invoice-1 Sent 1 --checkpoint "invoices=$epoch:2:4"
try append invoice-1 Sent 2 --checkpoint "invoices=$epoch:2:5"
steady append invoice-1 Sent 2 --checkpoint "invoices=$((epoch - 1)):5"
steady append invoice-1 Sent 2 --checkpoint "nobody=$epoch:5"
try append invoice-1 Sent 2 --checkpoint "invoices=$epoch:3:5" \
    --json 2>&1 | sed "s/\"text\":\"[^\"]*\"/\"text\":T/"
try append --atomic --checkpoint "invoices=$epoch:6" </dev/null
steady consumer ls invoices
steady consumer reset invoices start
steady append --atomic --checkpoint "invoices=$epoch:7" </dev/null

echo '---- all of it survives'
stop_server KILL
start_server
steady consumer ls
steady consumer show invoices

echo '---- removed'
steady consumer rm mailers
try consumer rm mailers
steady consumer rm invoices
steady consumer ls

echo '---- mistakes'
try consumer create
try consumer create a b
try consumer create a --on-park maybe
try consumer create a --ack-timeout soon
try consumer create a --deliveries 0
try consumer create a --from 3 --since 2h
try consumer create a --ack-timeout 100d
try consumer create a --key-tag "$(printf 'a\nb')"
try consumer alter auditors
try consumer alter auditors --since 2h
try consumer alter nobody --deliveries 3
try consumer reset auditors
try consumer rm
try consumer lag a b
try consumer lag --interval 0s
try consumer parked replay auditors
try consumer parked replay auditors 1 --all
try consumer parked drop auditors one
try append a-1 A 1 --checkpoint auditors=1
try append a-1 A 1 --checkpoint auditors=x:2
try append a-1 A 1 --lease a
try append a-1 A 1 --lease a=0
try append --atomic --checkpoint auditors=1:2 --checkpoint auditors=1:3 </dev/null
