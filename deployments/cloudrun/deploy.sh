#!/usr/bin/env bash
# Brings an image to Cloud Run without a moment in which webhooks are refused: a revision that gets
# no traffic, a smoke test of it, then all traffic, then the worker pool. It stops at the first
# thing that fails, and what ran before goes on running.
#
#   deploy.sh IMAGE@sha256:... REGION SERVICE [WORKER_POOL]
set -euo pipefail

if [ $# -lt 3 ] || [ $# -gt 4 ]; then
	echo "usage: $0 IMAGE@sha256:... REGION SERVICE [WORKER_POOL]" >&2
	exit 2
fi
image=$1 region=$2 service=$3 pool=${4:-}
case $image in
*@sha256:*) ;;
*)
	echo "deploy: $image names no digest, so nobody could say later what ran" >&2
	exit 2
	;;
esac

gcloud run deploy "$service" --image "$image" --region "$region" --no-traffic --tag candidate --quiet
url=$(gcloud run services describe "$service" --region "$region" --format=json |
	sed -n 's/.*"url": *"\(https:\/\/candidate---[^"]*\)".*/\1/p' | head -n 1)
if [ -z "$url" ]; then
	echo "deploy: the candidate has no address" >&2
	exit 1
fi
"$(dirname "$0")/smoke.sh" "$url"
gcloud run services update-traffic "$service" --region "$region" --to-tags candidate=100 --quiet
if [ -n "$pool" ]; then
	gcloud run worker-pools update "$pool" --image "$image" --region "$region" --quiet
	gcloud run worker-pools update-instance-split "$pool" --region "$region" --to-latest --quiet
fi
echo "deployed: $image"
