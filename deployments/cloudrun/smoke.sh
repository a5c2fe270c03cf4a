#!/usr/bin/env bash
# Asks a running bot, from outside, whether it can take webhooks: it is up, its store can be
# written and its access token is good, and it takes nothing that Meta did not sign.
#
#   smoke.sh https://host
set -euo pipefail

url=${1:?usage: smoke.sh https://host}
tries=${SMOKE_TRIES:-30}

expect() { # what, wanted status, curl arguments
	local what=$1 want=$2 got="" i
	shift 2
	for ((i = 0; i < tries; i++)); do
		got=$(curl --silent --output /dev/null --max-time 10 --write-out '%{http_code}' "$@" || true)
		if [ "$got" = "$want" ]; then
			echo "ok: $what"
			return 0
		fi
		sleep "${SMOKE_PAUSE:-2}"
	done
	echo "smoke: $what: $got in place of $want" >&2
	return 1
}

expect "it has started" 200 "$url/startup"
expect "store and access token work" 200 "$url/ready"
expect "an unsigned webhook is refused" 401 --request POST --header 'Content-Type: application/json' --data '{}' "$url/webhook"
expect "a handshake with a wrong word is refused" 403 "$url/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong"
