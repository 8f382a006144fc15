import { describeNativeEngine } from '../../test/cdc/native-conformance.ts';

describeNativeEngine('partitioned');
