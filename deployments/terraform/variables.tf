variable "project_id" {
  description = "Project that everything is made in."
  type        = string
}

variable "region" {
  description = "Region of Cloud Run and Valkey."
  type        = string
  default     = "us-central1"
}

variable "shape" {
  description = "small: one service takes webhooks and answers them. scaled: a service takes webhooks and a worker pool answers."
  type        = string
  default     = "small"
  validation {
    condition     = contains(["small", "scaled"], var.shape)
    error_message = "The shape is small or scaled."
  }
}

variable "image" {
  description = "First image, by digest. Later ones are deployed by the pipeline, and Terraform leaves them alone."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "The image is named by its digest, as gcr.io/PROJECT/whatsapp-node@sha256:..., so that it is known what runs."
  }
}

variable "phone_number_id" {
  description = "Id of the business phone number (not the number itself)."
  type        = string
  validation {
    condition     = can(regex("^[0-9]+$", var.phone_number_id))
    error_message = "The id of a phone number is made of digits."
  }
}

variable "workers" {
  description = "Instances of the worker pool (scaled)."
  type        = number
  default     = 2
}

variable "max_instances" {
  description = "Most instances of the service."
  type        = number
  default     = 3
}

variable "valkey_node_type" {
  description = "Size of the Valkey node. SHARED_CORE_NANO is for trying out and has no service level."
  type        = string
  default     = "STANDARD_SMALL"
}

variable "settings" {
  description = "Further settings of the bot by variable name, such as REPLY_MODE; docs/configuration.md lists them. No secrets."
  type        = map(string)
  default     = {}
  validation {
    condition     = !anytrue([for name in keys(var.settings) : can(regex("(TOKEN|SECRET|PASSWORD|API_KEY|STORE_KEYS?|HASH_KEY)$", name))])
    error_message = "A secret does not belong into the Terraform state: add it to vendor_secrets or shared_secrets and put its value into Secret Manager."
  }
}

variable "vendor_secrets" {
  description = "Secrets of vendors: variable of the bot = version of the secret. The secret is called like the variable, in lower case with dashes."
  type        = map(string)
  default     = { GEMINI_API_KEY = "1" }
}

variable "shared_secrets" {
  description = "Secrets that every process needs, such as STORE_KEY and LOG_HASH_KEY: variable of the bot = version of the secret, named as above."
  type        = map(string)
  default     = {}
}

variable "alert_email" {
  description = "Who is written to when something is wrong; empty makes no notification channel."
  type        = string
  default     = ""
}

variable "github_repository" {
  description = "Numeric ids of the repository that may deploy, and of its owner; null makes no identity pool."
  type = object({
    repository_id       = string
    repository_owner_id = string
  })
  default = null
}

variable "deletion_protection" {
  description = "Refuse to destroy what holds messages or serves."
  type        = bool
  default     = true
}
