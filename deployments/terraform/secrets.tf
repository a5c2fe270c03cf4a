# The secrets are made without a value: what stands in a configuration stands in its state, too.
# docs/deploy-cloud-run.md tells how the values get in.
resource "google_secret_manager_secret" "meta" {
  for_each  = local.meta_secrets
  secret_id = "whatsapp-${each.key}"
  replication {
    auto {}
  }
  depends_on = [google_project_service.needed]
}

resource "google_secret_manager_secret" "vendor" {
  for_each  = merge(var.vendor_secrets, var.shared_secrets)
  secret_id = replace(lower(each.key), "_", "-")
  replication {
    auto {}
  }
  depends_on = [google_project_service.needed]
}

locals {
  # Who may read what: each account the secrets its process mounts, and no other.
  readers = merge(
    { for name, s in google_secret_manager_secret.meta : "serve/${name}" => { secret = s.id, member = google_service_account.service.member } },
    { "serve/valkey-ca" = { secret = google_secret_manager_secret.valkey_ca.id, member = google_service_account.service.member } },
    { for name, s in google_secret_manager_secret.meta : "work/${name}" => { secret = s.id, member = local.answers } if local.scaled },
    { for name, s in { valkey-ca = google_secret_manager_secret.valkey_ca } : "work/${name}" => { secret = s.id, member = local.answers } if local.scaled },
    { for name, s in google_secret_manager_secret.vendor : "vendor/${name}" => { secret = s.id, member = local.answers } },
    { for name, s in google_secret_manager_secret.vendor : "shared/${name}" => { secret = s.id, member = google_service_account.service.member } if local.scaled && contains(keys(var.shared_secrets), name) },
  )
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each  = local.readers
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.member
}
