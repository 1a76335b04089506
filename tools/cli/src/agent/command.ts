import { Command } from 'commander';
import { HUB_HELP, withHub, type HubOptions } from '../hub/options.ts';

interface AgentOptions extends HubOptions {
  readonly json: boolean;
}

/** What a person asks of a device's agent. */
export function restartCommand(): Command {
  return withHub(new Command('restart'))
    .summary('restart a module')
    .description('restart a module, through the agent of its device')
    .argument('<module>')
    .option('--json', 'print {"device", "module", "restarted"}', false)
    .addHelpText('after', `${HUB_HELP}\n\nStatus 0: the agent restarts it. Status 1: it does not, or does not answer.`)
    .action(async (module: string, options: AgentOptions) => {
      const { restartModule } = await import('./agent-call.ts');
      const device = await restartModule(module, options);
      const text = options.json ? JSON.stringify({ device, module, restarted: true }) : `${module} restarts`;
      process.stdout.write(`${text}\n`);
    });
}

export function pingCommand(): Command {
  return withHub(new Command('ping'))
    .summary('whether a device answers')
    .description('ask the agent of a device whether it is there')
    .option('--json', 'print {"device", "milliseconds"}', false)
    .addHelpText('after', `${HUB_HELP}\n\nStatus 0: it answered. Status 1: it did not.`)
    .action(async (options: AgentOptions) => {
      const { pingAgent } = await import('./agent-call.ts');
      const { device, milliseconds } = await pingAgent(options);
      const text = options.json ? JSON.stringify({ device, milliseconds }) : `${device} answers in ${milliseconds} ms`;
      process.stdout.write(`${text}\n`);
    });
}
