# What is wrong is told on stderr, with an exit code of its own.
exec 3>&1

# Only what goes to stdout: nothing, for a mistake.
quiet() {
    acta "$@" 2>/dev/null
}

echo '---- without a server'
try -s acta://127.0.0.1:1 ping
try ping -s acta://127.0.0.1:1 --timeout 1s
try ping -s http://127.0.0.1
try --version | sed 's/[0-9.]*$/VERSION/'

echo '---- another kind of server'
python3 -c 'import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    client.recv(1 << 16)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    client.close()' >other 2>/dev/null &
other=$!
wait_for 'a port' test -s other
try -s "acta://127.0.0.1:$(<other)" ping 2>&1 | sed 's/127.0.0.1:[0-9]*/ADDRESS/'
kill $other

echo '---- a file that is none is neither replaced nor removed'
mkfifo special
for option in --port-file --pid-file; do
    timeout 60 "$build/server/actad" --data-dir unused --listen 127.0.0.1:0 \
        $option special --store-map-size 1GiB --disk-reserve 1MiB --log-level error
    echo "exit $?"
    [ -p special ] || fail 'the pipe is gone'
done

start_server
echo '---- usage'
try
try nonsense
try append
try append order-42
try append order-42 Type '{"a":1' --format json
try append order-42 Type 1 2
try append order-42 Type --expect -1
try append order-42 Type --id 12
try append "$(printf 'a\nb')" Type
try append order-42 Type @nowhere
echo data | try append order-42 Type - --meta -
try read --nonsense
try read order-42 order-43
try read order-42 --all
try read --from x order-42
try tail -n 999999999
try event
try event order-42 0
try event xyz
try ping --timeout soon
try ping --timeout 5
try streams a b
try append order-42 Type --check order-43
try append order-42 Type --check =3
try append order-42 Type --after 3
try append order-42 Type --if-none ''
try append order-42 Type --if-none 'order-42'
try append order-42 Type --if-none '--since 2h'
try append order-42 Type --if-none '--type'
try append order-42 Type --if-none '--type A --or'
try append order-42 Type --if-none '--tag customer:*'
try append order-42 Type --if-none '--tag "customer:7'
try append order-42 Type --command 12
try append order-42 Type --unseen 9999
try append --atomic order-42 Type
try append --atomic --expect 0 --tag customer:7
try query order-42
try query --or --type A
try query --type A --or
try query --type A --all
try query --type '*'
try query --since yesterday
try query --tag 'customer:*'
try query --corr 12
try read --from 3 --since 2h
try read order-42 --type A --or --tag x
try types a b
try types a --prefix b
try stream
try stream show
try stream burn order-42
try stream show order-42 --expect 3
try stream delete order-42 --max-count 3
try stream set order-42
try stream set order-42 --max-age 7
try stream set order-42 --max-count -1
try stream truncate order-42
try stream delete order-42 --expect x
try erase order-42
try erase order-42 0
try erase order-42 1 --all
try erase order-42 1 --expect 3
try errors CONFLICT
try import
try import nowhere.ndjson
try import --clients 0 -

echo '---- not found'
try read nowhere
try event nowhere 1
try event 0190163d-8694-739b-aea5-966c26f8ad91

echo '---- nothing of it is on stdout'
quiet read nowhere
quiet append order-42 Type --expect 3
quiet nonsense

echo '---- a reader that has enough'
acta import -q - <<'END'
{"stream":"a","type":"T","data":1}
{"stream":"a","type":"T","data":2}
END
acta read a --json | head -1 | cut -c1-12
acta read a >/dev/full
echo "exit $?"

echo '---- the server has gone'
stop_server KILL
try ping
