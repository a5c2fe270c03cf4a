#!/usr/bin/env bash
# Goes back to the revision before the one that serves: one command, no build. The store's records
# are read by both versions, so nothing has to be undone beside.
#
#   rollback.sh REGION SERVICE [WORKER_POOL]
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
	echo "usage: $0 REGION SERVICE [WORKER_POOL]" >&2
	exit 2
fi
region=$1 service=$2 pool=${3:-}

# before REVISION: the next older one of a list, newest first
before() { awk -v current="$1" 'found { print; exit } $0 == current { found = 1 }'; }

# The revision with all the traffic, from "name percent" pairs.
current=$(gcloud run services describe "$service" --region "$region" --flatten='status.traffic' \
	--format='value(status.traffic.revisionName,status.traffic.percent)' | awk '$2 == 100 { print $1; exit }')
previous=$(gcloud run revisions list --service "$service" --region "$region" --sort-by='~metadata.creationTimestamp' \
	--format='value(metadata.name)' | before "$current")
if [ -z "$current" ] || [ -z "$previous" ]; then
	echo "rollback: there is no older revision of $service than ${current:-the one that serves}" >&2
	exit 1
fi
gcloud run services update-traffic "$service" --region "$region" --to-revisions "$previous=100" --quiet
echo "$service: $current -> $previous"

if [ -n "$pool" ]; then
	current=$(gcloud run worker-pools describe "$pool" --region "$region" --flatten='status.instanceSplits' \
		--format='value(status.instanceSplits.revisionName,status.instanceSplits.percent)' | awk '$2 == 100 { print $1; exit }')
	previous=$(gcloud run worker-pools revisions list --worker-pool "$pool" --region "$region" --sort-by='~metadata.creationTimestamp' \
		--format='value(metadata.name)' | before "$current")
	if [ -z "$current" ] || [ -z "$previous" ]; then
		echo "rollback: there is no older revision of $pool than ${current:-the one that runs}" >&2
		exit 1
	fi
	gcloud run worker-pools update-instance-split "$pool" --region "$region" --to-revisions "$previous=100" --quiet
	echo "$pool: $current -> $previous"
fi
