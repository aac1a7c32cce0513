# Projections, as they tell of themselves.
start_server
for i in 1 2 3; do
    acta append -q "order-$i" Placed $i
done
acta consumer claim -q other

projector() {
    "$build/tests/cli/projector" "$ACTA_SERVER" "$@"
}

echo '---- there are none'
try projection ls

echo '---- one has stopped, one is done'
try_projector() {
    echo "\$ projector $*"
    projector "$@"
}
try_projector orders 2
try_projector bills 9
try projection ls
try projection ls --json 2>&1 | sed -E 's/"lag_us":[0-9]+/"lag_us":N/'
try projection ls 'b*'
try projection ls -n 1
try projection ls a b

echo '---- its note'
acta append -q order-4 Placed 4
try_projector orders 9
try projection ls orders
