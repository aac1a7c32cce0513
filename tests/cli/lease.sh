# Leases: a program is run while one is held, and others are kept out.
start_server

is_held() {
    [ "$(acta lease ls "$1" --json | wc -l)" -eq 1 ]
}

is_free() {
    ! is_held "$1"
}

has_waiters() { # NAME COUNT
    acta lease ls "$1" --json | grep -q "\"waiting\":$2,"
}

# Fences grow, by how much is not said.
steady() {
    sed -E -e 's/fence [0-9]+/fence N/g' -e 's/"fence":[0-9]+/"fence":N/' \
        -e 's/"(expected|actual)":[1-9][0-9]*/"\1":N/g' \
        -e 's/_us":[0-9]+/_us":N/g'
}

echo '---- a program and its exit code'
try lease ls
try lease run -q projection -- true
try lease run -q projection -- sh -c 'exit 7'
try lease run -q projection -- sh -c 'kill -KILL $$'
try lease run -q projection -- ./nothing-there
try lease run -q projection -- sh -c '[ "$ACTA_LEASE" = projection ] &&
    "$0" append order-1 Noted 1 --lease "projection=$ACTA_FENCE" -q &&
    echo appended' "$build/tools/acta"
try lease ls
try append order-1 Noted 2 --lease projection=1
try append order-1 Noted 2 --lease projection=1 --json 2>&1 | steady

echo '---- held by another'
mkfifo go
acta lease run -q projection --holder ann -- sh -c 'read -r line <go' &
first=$!
wait_for 'the first' is_held projection
never() {
    try lease run -q projection --wait "$1" -- echo never 2>&1 |
        sed -E 's/fence [0-9]+, .*/fence N, .../'
}
never 0
never 10ms
try append order-1 Noted 2 --lease projection=1 2>&1 | steady
acta lease run -q projection --holder bob -- echo 'bob may go' >bob &
second=$!
wait_for 'the second' has_waiters projection 1
try lease ls --json | steady
echo >go
wait $first
echo "ann: $?"
wait $second
echo "bob: $? $(<bob)"
wait_for 'all to be given back' is_free projection

echo '---- what ends acta ends the program'
# That it is held is known to others first.
"$build/tools/acta" lease run -q projection -- sh -c 'echo >runs; exec sleep 60' &
first=$!
wait_for 'the program' test -s runs
kill -TERM $first
wait $first
echo "exit $?"
wait_for 'the lease to be given back' is_free projection

echo '---- a program that takes more than one signal to end keeps its lease'
"$build/tools/acta" lease run -q projection -- bash -c '
    trap "echo >>asked; [ \$(wc -l <asked) -lt 3 ] || exit 7" TERM
    echo >ready
    while :; do sleep 0.1; done' &
first=$!
wait_for 'the program' test -s ready
for number in 1 2 3; do
    kill -TERM $first
    wait_for 'the program to be asked' lines_are asked $number
    [ $number -eq 3 ] || { is_held projection && echo "held: $number"; }
done
wait $first
echo "exit $?"
wait_for 'the lease to be given back' is_free projection

echo '---- lost with the server'
# On a slow machine it may be lost sooner, which is told in the same words; so
# long it takes none to begin.
acta lease run -q projection --duration 3s -- sh -c 'echo >begun; exec sleep 60' \
    2>talk &
first=$!
wait_for 'the program' test -s begun
stop_server KILL
wait $first
echo "exit $?"
sed 's/was lost: .*;/was lost: WHY;/' talk

echo '---- mistakes'
start_server
try lease run -q projection
try lease run -- true
try lease run -q projection --wait soon -- true
try lease run -q projection --duration 0 -- true
try lease run -q projection --duration 2d -- true

echo '# no server is no lease that others hold'
stop_server
try lease run -q projection -- echo never
