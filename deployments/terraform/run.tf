resource "google_cloud_run_v2_service" "bot" {
  name                 = local.name
  location             = var.region
  ingress              = "INGRESS_TRAFFIC_ALL" # Meta calls from the open internet; the signature is the guard
  invoker_iam_disabled = true
  deletion_protection  = var.deletion_protection

  scaling {
    min_instance_count = 1 # a due turn is no request, and only requests wake an instance
    max_instance_count = var.max_instances
  }

  template {
    service_account                  = google_service_account.service.email
    timeout                          = "60s"
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    max_instance_request_concurrency = 250

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"
      network_interfaces {
        network    = google_compute_network.bot.id
        subnetwork = google_compute_subnetwork.run.id
      }
    }

    containers {
      name  = "bot"
      image = var.image

      ports {
        container_port = 8080
      }

      resources {
        # Stated either way, since leaving it out has a meaning of its own. Answers are made after
        # the 200: without the CPU between requests they would wait for the next webhook.
        cpu_idle          = local.scaled
        startup_cpu_boost = true
        limits = {
          cpu    = "1"
          memory = "512Mi"
        }
      }

      dynamic "env" {
        for_each = merge(local.settings, local.service_settings)
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "env" {
        for_each = merge(var.shared_secrets, { for name, version in var.vendor_secrets : name => version if !local.scaled })
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.vendor[env.key].secret_id
              version = env.value
            }
          }
        }
      }

      dynamic "volume_mounts" {
        for_each = local.mounts
        content {
          name       = volume_mounts.key
          mount_path = "/secrets/${volume_mounts.key}"
        }
      }

      startup_probe {
        period_seconds    = 3
        timeout_seconds   = 2
        failure_threshold = 60 # the first connection into a VPC may take more than a minute
        http_get {
          path = "/startup"
          port = 8080
        }
      }
      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 2
        failure_threshold = 3
        http_get {
          path = "/live"
          port = 8080
        }
      }
      readiness_probe {
        period_seconds    = 5
        timeout_seconds   = 3
        failure_threshold = 3
        http_get {
          path = "/ready"
          port = 8080
        }
      }
    }

    dynamic "volumes" {
      for_each = local.mounts
      content {
        name = volumes.key
        secret {
          secret       = volumes.value
          default_mode = 292 # 0444
          items {
            version = "latest" # read at each access, so a new version needs no new revision
            path    = "value"
          }
        }
      }
    }
  }

  # The pipeline deploys images and shifts the traffic.
  lifecycle {
    ignore_changes = [template[0].containers[0].image, template[0].revision, traffic, client, client_version]
  }
  depends_on = [google_secret_manager_secret_iam_member.reader, google_project_iam_member.process]
}

locals {
  mounts = merge(
    { for name, s in google_secret_manager_secret.meta : name => s.secret_id },
    { valkey-ca = google_secret_manager_secret.valkey_ca.secret_id },
  )
}

resource "google_cloud_run_v2_worker_pool" "bot" {
  count               = local.scaled ? 1 : 0
  name                = "${local.name}-worker"
  location            = var.region
  deletion_protection = var.deletion_protection

  scaling {
    scaling_mode          = "MANUAL"
    manual_instance_count = var.workers
  }

  template {
    service_account = google_service_account.worker[0].email

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"
      network_interfaces {
        network    = google_compute_network.bot.id
        subnetwork = google_compute_subnetwork.run.id
      }
    }

    containers {
      name  = "bot"
      image = var.image

      resources {
        limits = {
          cpu    = "1"
          memory = "512Mi"
        }
      }

      dynamic "env" {
        for_each = merge(local.settings, { ROLE = "worker", CPU_ALWAYS_ON = "true" })
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "env" {
        for_each = merge(var.shared_secrets, var.vendor_secrets)
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.vendor[env.key].secret_id
              version = env.value
            }
          }
        }
      }

      dynamic "volume_mounts" {
        for_each = local.mounts
        content {
          name       = volume_mounts.key
          mount_path = "/secrets/${volume_mounts.key}"
        }
      }

      startup_probe {
        period_seconds    = 3
        timeout_seconds   = 2
        failure_threshold = 60
        http_get {
          path = "/startup"
          port = 8080
        }
      }
      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 2
        failure_threshold = 3
        http_get {
          path = "/live"
          port = 8080
        }
      }
    }

    dynamic "volumes" {
      for_each = local.mounts
      content {
        name = volumes.key
        secret {
          secret       = volumes.value
          default_mode = 292 # 0444
          items {
            version = "latest"
            path    = "value"
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [template[0].containers[0].image, template[0].revision, instance_splits, client, client_version]
  }
  depends_on = [google_secret_manager_secret_iam_member.reader, google_project_iam_member.process]
}
