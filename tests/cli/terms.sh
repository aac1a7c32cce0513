# The terms of an append: versions of other streams, conditions, a command id,
# and what a refused append has missed.
start_server
command_id=0190163d-8694-739b-aea5-966c26f8ad91

acta append -q show-1 ShowOpened '{"seats":2}'
acta append -q show-1 SeatTaken '{"by":"ann"}' --tag seat:7 --tag show:1

echo '---- checks'
try append note-1 Noted 1 --check show-1=2 --check show-1=2
try append note-1 Noted 2 --check show-1=1
try append note-1 Noted 2 --check show-1=1 --check 'odd=name=3' --check x=exists
try append note-1 Noted 2 --check show-1=exists --check x=0 --check y=any
try append show-1 Noted 3 --expect 2 --check show-1=1

echo '---- conditions'
seat='--type Seat* --tag seat:7 --or --stream="show 2"'
try append show-1 SeatTaken 4 --if-none "$seat" --tag seat:7
try append show-1 SeatTaken 4 --if-none "$seat" --after 1 --tag seat:7
try append show-1 SeatTaken 4 --if-none "$seat" --after 2 --tag seat:7
try append show-1 SeatTaken 5 --if-none "$seat" --after 2 --tag seat:7
try append 'show 2' ShowOpened 6 --if-none "$seat" --after 99
try append note-2 Noted 7 --if-none '--type Nothing' \
    --if-none '--type ShowOpened' --after 1 --if-none --all
try append note-2 Noted 7 --if-none '--category none' --if-none '--all' \
    --after 1000 --expect 0

echo '---- what was missed'
try append show-1 SeatTaken 8 --expect 2 --unseen 10 --json
try append show-1 SeatTaken 8 --expect 1 --unseen 1
try append note-3 Noted 9 --if-none "$seat" --after 2 --unseen 5
try append note-3 Noted 9 --if-none "$seat" --after 2 --check show-1=2 \
    --unseen 5 -q

echo '---- a command counts once'
try append note-4 Noted 10 --command $command_id
try append note-4 Noted 11 --command $command_id --expect 0
try append note-5 Other 12 --command $command_id --check x=7
stop_server KILL
start_server
try append note-5 Other 12 --command $command_id --check x=7

echo '---- many streams, all or none'
try append --atomic --check note-4=1 --if-none '--stream a-*' <<'END'
{"stream":"a-1","type":"One","data":1,"expected":0}
{"stream":"b-1","type":"Two","data":2}
{"stream":"a-1","type":"Three","data":3}
{"stream":"a-1","type":"Four","data":4,"expected":0}
END
try append --atomic --check note-4=2 --if-none '--stream a-*' <<'END'
{"stream":"a-1","type":"Five","data":5,"expected":2}
{"stream":"b-1","type":"Six","data":6,"expected":0}
END
try append --atomic <<'END'
{"stream":"a-1","type":"Five","data":5,"expected":2}
{"stream":"b-1","type":"Six","data":6,"expected":1}
{"stream":"a-1","type":"Seven","data":7}
END
try append --atomic <<'END'
{"stream":"a-1","type":"Five","data":5,"expected":3}
{"stream":"a-1","type":"Six","data":6,"expected":4}
END
try append --atomic <<'END'
{"stream":"c-1","type":"Five","data":5,"id":"0190163d-8694-739b-aea5-966c26f8ad92"}
{"stream":"c-1","type":"Six","data":6,"id":"0190163d-8694-739b-aea5-966c26f8ad93"}
END
try append --atomic <<'END'
{"stream":"c-1","type":"Five","data":5,"id":"0190163d-8694-739b-aea5-966c26f8ad92"}
{"stream":"c-1","type":"Seven","data":7,"id":"0190163d-8694-739b-aea5-966c26f8ad94"}
END
try append --atomic --check note-4=1 </dev/null
try append --atomic <.
try streams
