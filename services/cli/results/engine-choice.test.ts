import assert from 'node:assert/strict';
import { it } from 'node:test';
import { chosenEngine, type EngineChoice } from './engine-choice.ts';

const cases: readonly (readonly [choice: EngineChoice, hasTensorflow: boolean, engine: string, isSaid: boolean])[] = [
  ['auto', true, 'tensorflow', false],
  ['auto', false, 'wasm', true],
  ['tensorflow', false, 'tensorflow', false],
  ['wasm', true, 'wasm', false],
  ['cpu', true, 'cpu', false],
];

for (const [choice, hasTensorflow, engine, isSaid] of cases) {
  it(`${choice} ${hasTensorflow ? 'with' : 'without'} TensorFlow is ${engine}${isSaid ? ', which is said' : ''}`, () => {
    const said: string[] = [];
    const stderr = { write: (text: string) => said.push(text) > 0 } as NodeJS.WriteStream;
    assert.equal(
      chosenEngine(choice, { stderr }, () => hasTensorflow),
      engine,
    );
    assert.equal(/^warning: .*engine wasm computes/.test(said.join('')), isSaid);
  });
}
