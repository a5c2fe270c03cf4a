package deployments

import (
	"errors"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// strictly reads YAML into a vendor's own type and refuses what that does not know,
// also where only a letter's case is wrong.
func strictly(text string, into any) error {
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return err
	}
	unknown, err := kjson.UnmarshalStrict(data, into)
	return errors.Join(append(unknown, err)...)
}
