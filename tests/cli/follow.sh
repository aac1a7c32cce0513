# tail -f shows every event once and in order, though the server is killed and
# started again, and ends well on Ctrl-C.
start_server
for i in 1 2 3; do
    acta append -q a-1 T $i
    acta append -q b-1 T -- "-$i"
done
set -m # So that jobs can be interrupted.
"$build/tools/acta" tail -f -n 2 --category a --json >followed 2>talk &
follower=$!
set +m
wait_for 'the last events' lines_are followed 2
for round in 1 2 3; do
    for i in {1..20}; do
        echo "{\"stream\":\"a-$i\",\"type\":\"T\",\"data\":\"$round.$i\"}"
    done >more
    acta import -q --source $round more
    if [ $round -eq 2 ]; then
        wait_for 'the next events' lines_are followed 42
    fi
    stop_server KILL
    start_server
done
acta append -q a-1 Last '"end"'
wait_for 'the last event' grep -q '"end"' followed
kill -INT $follower
wait $follower
echo "exit $?"
sed 's/.*"data":\(.*\)}/\1/' followed >got
{
    printf '2\n3\n'
    for round in 1 2 3; do
        for i in {1..20}; do
            echo "\"$round.$i\""
        done
    done
    echo '"end"'
} >wanted
diff wanted got && echo 'each once, in order'
# How often depends on how soon it is back after each kill.
grep -q 'trying again' talk && echo 'told that the server had gone'
grep -q 'connected again' talk && echo 'and that it was back'
