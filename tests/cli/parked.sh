# Events that a group has parked: looked at, handed out again, dropped.
start_server
for i in 1 2 3; do
    acta append -q order-1 Placed "{\"number\":$i}"
    acta append -q order-2 Placed $i
done
acta consumer create -q mailers

# How often what was handed out and taken back was tried is not told here.
member() {
    "$build/tests/cli/member" "$ACTA_SERVER" mailers "$@" | sed 's/ try .*//'
}

parked_are() { # COUNT
    [ "$(acta consumer parked ls mailers --json | wc -l)" -eq "$1" ]
}

parked() {
    try consumer parked "$@" | sed -E -e 's/(behind +)[0-9]/\1N/' \
        -e 's/("behind","deliveries"):[0-9]/\1:N/'
}

echo '---- nothing is'
parked ls mailers
parked replay mailers --all
parked drop mailers --all --yes

echo '---- two are parked, and those of their keys wait'
member 'park:no such customer' park:twice | sort
wait_for 'parking' parked_are 6
parked ls mailers
parked ls mailers -n 1 --json
parked show mailers 1
parked show mailers 1 --json
parked show mailers 3 --json
parked show mailers 9
try consumer ls

echo '---- handed out again'
parked replay mailers 1 1
parked ls mailers -n 1
parked replay mailers 3 9
parked replay mailers 9
member ack ack ack
wait_for 'handling' parked_are 3

echo '---- dropped'
parked drop mailers 2
parked drop mailers 2
member ack ack
wait_for 'handling' parked_are 0
acta append -q order-3 Placed 1
acta append -q order-4 Placed 1
member park:x park:y | sort
wait_for 'parking' parked_are 2
parked drop mailers --all
try consumer rm mailers
parked drop mailers --all --yes --json
parked ls mailers
try consumer show nobody
try consumer rm mailers
