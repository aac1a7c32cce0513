# Snapshots are kept, shown and removed.
start_server
for i in 1 2 3; do
    acta append -q order-1 Noted $i
done
try snapshot show order-1
try snapshot put order-1 2 '{"total":3}'
try snapshot show order-1
try snapshot put order-1 3 '{"total":6}' --schema 2 --json
try snapshot put order-1 1 '{"total":1}'
try snapshot show order-1 --json
try snapshot put order-1 4 '{}'
try snapshot put order-1 4 '{}' --json
stop_server KILL
start_server
try snapshot show order-1 --json
printf '\001\002' | try snapshot put order-1 3 - --schema 3 -q
try snapshot show order-1
try snapshot show order-1 --json
try snapshot rm order-1
try snapshot show order-1
try snapshot rm nowhere
