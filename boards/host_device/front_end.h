/* A front end's driver on the model of its part, instead of samples from a file. */
#ifndef EIN_HOST_FRONT_END_H
#define EIN_HOST_FRONT_END_H

/* As --front-end, --adc and --faults say; nothing without the first. Ends the process if it cannot.
 */
void ein_host_front_end_init(void);

#endif
