# Events one by one: append, and every way to look at them.
start_server

echo '---- append'
try append order-42 OrderPlaced '{"total":12.50}' --expect 0 --tag customer:7
echo '  {"paid": 1e400, "big": 12345678901234567890123}  ' |
    try append order-42 OrderPaid - --expect 1 --meta '{"by":"ann"}' \
        --corr 0190163d-8694-739b-aea5-966c26f8ad91 \
        --cause 0190163d-8694-739b-aea5-966c26f8ad92
printf 'a\0b\n' >bytes
try append payment-1 Scanned @bytes --tag customer:7 --tag scan
printf '\202\241a\223\001\300\303\241b\313\077\370\0\0\0\0\0\0' |
    try append payment-1 Packed - --format msgpack
try append payment-1 Empty --json
try append typo-1 Unclosed '{"total":12.5'
try append typo-1 Meant '{"total":12.5' --format binary

echo '---- read'
try read order-42
try read --all -n 3
try read payment-1 --reverse -n 1
try read payment-1 --from 2
try read --all --from 3 --reverse --json
try read --category payment --json
try read --type OrderPaid --type OrderPlaced --json
try read --tag customer:7 --tag scan --json
try read --category order --tag customer:7 --json
try read --stream order-42 --stream payment-1 -n 1 --json
try read --corr 0190163d-8694-739b-aea5-966c26f8ad91 --json
try read --type Nothing

echo '---- event'
try event order-42 2
try event 0190163d-8694-739b-aea5-966c26f8ad91
try append order-42 Known '"x"' --id 0190163d-8694-739b-aea5-966c26f8ad91
try append order-42 Known '"x"' --id 0190163d-8694-739b-aea5-966c26f8ad91
try event 0190163d-8694-739b-aea5-966c26f8ad91
try event payment-1 1
try event payment-1 2
try event order-42 2 --json

echo '---- tail'
try tail -n 2
try tail order-42 -n 1 --json
try tail nowhere

echo '---- what a terminal would obey'
printf '{"a":"\302\2331m\177\303\202","b":1}' | acta append -q terminal-1 T -
printf '{"hidden":1,\r"b":"\302\237"}' | acta append -q terminal-1 T -
try read terminal-1
try event terminal-1 1
acta read terminal-1 --json | head -n 1 | grep -acF "$(printf '\302\2331m\177')"

echo '---- streams'
try streams
try streams pay
try streams --json -n 1

echo '---- ping, status'
try ping
try ping -n 20 --json
try status | grep -E '^(server|requests|database)$|  head '
try status --json | grep -o '"database.head":[0-9]*'
