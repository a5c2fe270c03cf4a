# The deploy workflow's own identity: no key, no account in between, and only one repository's
# main branch and version tags are let in.
resource "google_iam_workload_identity_pool" "github" {
  count                     = var.github_repository == null ? 0 : 1
  workload_identity_pool_id = "github"
  depends_on                = [google_project_service.needed]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  count                              = var.github_repository == null ? 0 : 1
  workload_identity_pool_id          = google_iam_workload_identity_pool.github[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_mapping = {
    "google.subject"          = "assertion.sub"
    "attribute.repository_id" = "assertion.repository_id"
  }
  attribute_condition = join(" && ", [
    "assertion.repository_owner_id == '${var.github_repository.repository_owner_id}'",
    "assertion.repository_id == '${var.github_repository.repository_id}'",
    "(assertion.ref == 'refs/heads/main' || assertion.ref.startsWith('refs/tags/v'))",
  ])
  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

locals {
  deployer = {
    for pool in google_iam_workload_identity_pool.github :
    "member" => "principalSet://iam.googleapis.com/${pool.name}/attribute.repository_id/${var.github_repository.repository_id}"
  }
  acts_as = merge({ service = google_service_account.service.name }, { for a in google_service_account.worker : "worker" => a.name })
}

resource "google_project_iam_member" "deployer" {
  for_each = local.deployer
  project  = var.project_id
  role     = "roles/run.developer"
  member   = each.value
}

resource "google_artifact_registry_repository_iam_member" "deployer" {
  for_each   = local.deployer
  location   = google_artifact_registry_repository.gcr.location
  repository = google_artifact_registry_repository.gcr.name
  role       = "roles/artifactregistry.writer"
  member     = each.value
}

resource "google_service_account_iam_member" "deployer" {
  for_each           = { for name, id in local.acts_as : name => id if var.github_repository != null }
  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = local.deployer.member
}
