# A condition with more to look at than a server does within one append says so,
# and how far it has come; from there it is decided.
start_server
for i in {1..15000}; do
    echo "{\"stream\":\"a-$((i % 7))\",\"type\":\"T\",\"data\":$i,\"tags\":[\"t:$((i % 2))\"]}"
done | acta import -q -

both='--tag t:0 --tag t:1'
acta append b-1 T 1 --if-none "$both" >talk 2>&1
echo "exit $?"
sed -E 's/position [1-9][0-9]*$/position N/' talk
acta append b-1 T 1 --if-none "$both" --json 2>&1 |
    sed -E 's/"actual":[1-9][0-9]*/"actual":N/; s/(position|to) [1-9][0-9]*/\1 N/'
for _ in {1..9}; do
    position=$(sed -n 's/.*up to position \([0-9]*\)$/\1/p' talk)
    acta append -q b-1 T 1 --if-none "$both" --after "$position" >talk 2>&1 &&
        break
done
try read b-1
