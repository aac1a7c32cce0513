# Streams, categories, types and tags, by name.
start_server
try types
for i in {1..5}; do
    echo "{\"stream\":\"order-$i\",\"type\":\"OrderPlaced\",\"data\":$i,\"tags\":[\"customer:$((i % 2))\",\"new\"]}"
    echo "{\"stream\":\"order-$i\",\"type\":\"OrderPaid\",\"data\":$i}"
done | acta import -q -
acta append -q audit Noted 1 --tag "$(printf 'a"b\xc3\xa4')"
acta stream delete -q order-3
acta stream tombstone -q order-4 --yes
acta stream tombstone -q reserved --yes

try streams
try streams order
try streams 'order-*' -n 2
try streams --prefix order-5 --json
try streams order-3 --json
try categories
try types
try types Order
try types 'OrderPl*' --json
try tags
try tags --prefix customer: -n 1
try tags --prefix a --json
try tags nothing
