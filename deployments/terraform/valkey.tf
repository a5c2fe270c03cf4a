# Where the messages are. ALWAYS writes to the disk before a command is answered, so that a 200
# to Meta stands on a disk. There is no replica on purpose: a failover to one that is a moment
# behind loses what was acknowledged in that moment, while a node that restarts reads its file,
# and Meta delivers again what came meanwhile (docs/adr/0014).
resource "google_memorystore_instance" "messages" {
  instance_id                 = local.name
  location                    = var.region
  mode                        = "CLUSTER_DISABLED"
  shard_count                 = 1
  replica_count               = 0
  node_type                   = var.valkey_node_type
  engine_version              = "VALKEY_8_0"
  authorization_mode          = "IAM_AUTH"
  transit_encryption_mode     = "SERVER_AUTHENTICATION"
  deletion_protection_enabled = var.deletion_protection

  engine_configs = {
    maxmemory-policy = "noeviction" # the default throws away what has a time to live: what was acknowledged, too
  }
  persistence_config {
    mode = "AOF"
    aof_config {
      append_fsync = "ALWAYS"
    }
  }
  desired_auto_created_endpoints {
    network    = google_compute_network.bot.id
    project_id = var.project_id
  }
  automated_backup_config {
    retention = "604800s"
    fixed_frequency_schedule {
      start_time {
        hours = 3
      }
    }
  }
  maintenance_policy {
    weekly_maintenance_window {
      day = "SUNDAY"
      start_time {
        hours = 4
      }
    }
  }
  depends_on = [google_network_connectivity_service_connection_policy.valkey]
}

locals {
  valkey_endpoint = one([
    for c in flatten([
      for e in google_memorystore_instance.messages.endpoints : [for c in e.connections : c.psc_auto_connection]
    ]) :
    c if c.connection_type == "CONNECTION_TYPE_PRIMARY"
  ])
  valkey_url = "rediss://${local.valkey_endpoint.ip_address}:${local.valkey_endpoint.port}"
}

# The instance signs its certificate with a CA of its own.
resource "google_secret_manager_secret" "valkey_ca" {
  secret_id = "valkey-ca"
  replication {
    auto {}
  }
  depends_on = [google_project_service.needed]
}

resource "google_secret_manager_secret_version" "valkey_ca" {
  secret = google_secret_manager_secret.valkey_ca.id
  secret_data = join("\n", flatten([
    for ca in google_memorystore_instance.messages.managed_server_ca : [for chain in ca.ca_certs : chain.certificates]
  ]))
}
