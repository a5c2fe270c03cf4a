locals {
  name   = "whatsapp-node"
  scaled = var.shape == "scaled"

  # Meta's three secrets are mounted as files, which the bot reads again when they change.
  meta_secrets = {
    access-token = "WHATSAPP_ACCESS_TOKEN_FILE"
    app-secret   = "WHATSAPP_APP_SECRET_FILE"
    verify-token = "WHATSAPP_VERIFY_TOKEN_FILE"
  }

  # What every process is told, whatever its role.
  settings = merge({
    ADMIN_ADDR               = "off"
    DRAIN_TIMEOUT            = "8s" # Cloud Run kills 10 s after SIGTERM
    STORE                    = "redis"
    REDIS_URL                = local.valkey_url
    REDIS_AUTH               = "google"
    REDIS_CA_FILE            = "/secrets/valkey-ca/value"
    REDIS_ACK                = "memory" # with append_fsync ALWAYS the answer itself comes after the disk
    WHATSAPP_PHONE_NUMBER_ID = var.phone_number_id
    }, {
    for folder, variable in local.meta_secrets : variable => "/secrets/${folder}/value"
  }, var.settings)

  # A process that only takes webhooks asks no vendor, so it gets no vendor's key.
  service_settings = local.scaled ? tomap({
    ROLE         = "serve"
    LLM_PROVIDER = "fake"
    STT_PROVIDER = "fake"
    TTS_PROVIDER = "fake"
    }) : tomap({
    ROLE          = "all"
    CPU_ALWAYS_ON = "true"
  })
}

resource "google_project_service" "needed" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "compute.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "memorystore.googleapis.com",
    "monitoring.googleapis.com",
    "networkconnectivity.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "serviceconsumermanagement.googleapis.com",
    "sts.googleapis.com",
  ])
  service            = each.key
  disable_on_destroy = false
}

# Names under gcr.io are served by Artifact Registry from the repository of that name, which
# must be in the multi-region us.
resource "google_artifact_registry_repository" "gcr" {
  location      = "us"
  repository_id = "gcr.io"
  format        = "DOCKER"
  description   = "Images that are called gcr.io/${var.project_id}/..."

  docker_config {
    immutable_tags = true
  }
  cleanup_policy_dry_run = false
  cleanup_policies {
    id     = "keep-the-newest"
    action = "KEEP"
    most_recent_versions {
      keep_count = 20
    }
  }
  cleanup_policies {
    id     = "drop-the-old"
    action = "DELETE"
    condition {
      older_than = "7776000s"
    }
  }
  depends_on = [google_project_service.needed]
}
