# One account for each kind of process, with nothing but what it uses.
resource "google_service_account" "service" {
  account_id   = local.name
  display_name = "Takes the webhooks${local.scaled ? "" : " and answers them"}"
  depends_on   = [google_project_service.needed]
}

resource "google_service_account" "worker" {
  count        = local.scaled ? 1 : 0
  account_id   = "${local.name}-worker"
  display_name = "Answers"
  depends_on   = [google_project_service.needed]
}

locals {
  answers = local.scaled ? google_service_account.worker[0].member : google_service_account.service.member
  members = merge({ service = google_service_account.service.member }, { for a in google_service_account.worker : "worker" => a.member })
  roles   = ["roles/memorystore.dbConnectionUser", "roles/monitoring.metricWriter", "roles/cloudtrace.agent"]
}

resource "google_project_iam_member" "process" {
  for_each = { for pair in setproduct(keys(local.members), local.roles) : join("/", pair) => { member = local.members[pair[0]], role = pair[1] } }
  project  = var.project_id
  role     = each.value.role
  member   = each.value.member
}
