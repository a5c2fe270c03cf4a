# syntax=docker/dockerfile:1

FROM golang:1.26-bookworm AS build
# Voices that deliver PCM, WAV or MP3 need an Opus encoder, and the image has no
# programs: the library is linked into the binary.
RUN apt-get update && apt-get install -y --no-install-recommends libopus-dev pkg-config && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=1 go build -trimpath -tags 'libopus nolibopusfile netgo osusergo' \
    -ldflags "-s -w -linkmode external -extldflags -static -X whatsappnode/cmd/internal/bot.Version=${VERSION}" \
    -o /out/whatsapp-node ./cmd/whatsapp-node
RUN mkdir -p /out/data

# No shell, no package manager: the health check is a sub-command of the binary.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/whatsapp-node /whatsapp-node
# The embedded store's directory; mount a volume here or choose STORE=redis.
COPY --from=build --chown=65532:65532 /out/data /data
ENV STORE_PATH=/data/whatsapp-node.db
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=5s --retries=3 CMD ["/whatsapp-node", "healthcheck"]
ENTRYPOINT ["/whatsapp-node"]
