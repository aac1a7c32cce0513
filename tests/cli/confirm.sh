# On a terminal, what is for ever is asked about.
command -v script >/dev/null || skip 'there is no script(1)'
start_server
acta append -q order-42 Noted 1

# answer TEXT COMMAND...: run it on a terminal, and type TEXT, which the terminal
# shows before or behind the question.
answer() {
    local text=$1
    shift
    echo "$text" | script -qec "'$build/tools/acta' $*" /dev/null |
        tr -d '\r' | sed 's/\[y.N\] /&\n/' | grep -v "^$text\$"
}

answer n stream tombstone order-42
answer '' stream tombstone order-42
answer yes stream tombstone reserved-1
answer y stream tombstone order-42
try streams

# The same of what is parked.
acta append -q order-43 Noted 1
acta consumer create -q mailers --stream order-43
"$build/tests/cli/member" "$ACTA_SERVER" mailers 'park:no such customer'
answer n consumer rm mailers
answer n consumer parked drop mailers --all
answer y consumer parked drop mailers --all
acta consumer rm mailers
